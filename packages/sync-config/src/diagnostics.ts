import type { Diagnostic, TextEdit } from './contract.ts';

/** Offsets in UTF-16 units; `end` is exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What to do about a problem: in words, and where it is mechanical as a change of the text. */
export interface Fix {
  readonly text: string;
  readonly edit?: TextEdit | undefined;
}

/** Takes problems whose spans refer to one text: the YAML file, or one SQL string inside it. */
export interface Reporter {
  error(code: string, span: Span, message: string, fix?: string | Fix): void;
  warn(code: string, span: Span, message: string, fix?: string | Fix): void;
  info(code: string, span: Span, message: string, fix?: string | Fix): void;
}

/** How places in a text inside the file become places in the file. */
export interface Translation {
  toYaml(span: Span): Span;
  /** Undefined where the change cannot be written in the YAML as it stands. */
  editToYaml(edit: TextEdit): TextEdit | undefined;
}

/** Collects the problems of a file, so that all are reported at once. */
export class Diagnostics implements Reporter {
  readonly #list: Diagnostic[] = [];
  readonly #seen = new Set<string>();
  #toFile: (span: Span) => Span = (span) => span;
  /** Errors reported so far. */
  errorCount = 0;

  /** Whether some part of the file could not be read, so that nobody knows what it mentions. */
  get hasSyntaxErrors(): boolean {
    return this.#list.some(({ code }) => SYNTAX_ERRORS.has(code));
  }

  /** From now on places are given in a text that differs from the file, in the way said. */
  readFrom(toFile: (span: Span) => Span): void {
    this.#toFile = toFile;
  }

  error(code: string, span: Span, message: string, fix?: string | Fix): void {
    this.errorCount++;
    this.#add('error', code, span, message, fix);
  }

  warn(code: string, span: Span, message: string, fix?: string | Fix): void {
    this.#add('warning', code, span, message, fix);
  }

  info(code: string, span: Span, message: string, fix?: string | Fix): void {
    this.#add('info', code, span, message, fix);
  }

  /** A reporter for a text inside the file. */
  within(text: Translation): Reporter {
    const fixInYaml = (fix: string | Fix | undefined): string | Fix | undefined => {
      if (typeof fix !== 'object' || fix.edit === undefined) return fix;
      return { text: fix.text, edit: text.editToYaml(fix.edit) };
    };
    return {
      error: (code, span, message, fix) =>
        this.error(code, text.toYaml(span), message, fixInYaml(fix)),
      warn: (code, span, message, fix) =>
        this.warn(code, text.toYaml(span), message, fixInYaml(fix)),
      info: (code, span, message, fix) =>
        this.info(code, text.toYaml(span), message, fixInYaml(fix)),
    };
  }

  /** In the order of the text. */
  list(): readonly Diagnostic[] {
    const byPlace = new Map<string, Diagnostic[]>();
    for (const diagnostic of this.#list) {
      const place = placeOf(diagnostic);
      const others = byPlace.get(place);
      if (others === undefined) byPlace.set(place, [diagnostic]);
      else others.push(diagnostic);
    }
    return this.#list
      .filter((diagnostic) => !this.#isSaidBetter(diagnostic, byPlace))
      .toSorted((a, b) => a.start - b.start || a.end - b.end);
  }

  /** A warning about a word that an error, or a more exact warning, is about already. */
  #isSaidBetter(
    diagnostic: Diagnostic,
    byPlace: ReadonlyMap<string, readonly Diagnostic[]>,
  ): boolean {
    const { severity, code } = diagnostic;
    // Advice on what does not compile would be guesswork.
    if (severity === 'info') return this.errorCount > 0;
    if (severity !== 'warning') return false;
    return (byPlace.get(placeOf(diagnostic)) ?? []).some(
      (other) =>
        other.severity === 'error' ||
        (code === 'UNQUOTED_UPPERCASE' && other.code.endsWith('_NOT_FOUND')),
    );
  }

  #add(
    severity: Diagnostic['severity'],
    code: string,
    span: Span,
    message: string,
    fix: string | Fix | undefined,
  ): void {
    // A CTE is compiled once per mention; its problems are still one problem.
    const { start, end } = this.#toFile(span);
    const identity = `${code} ${start} ${end} ${message}`;
    if (this.#seen.has(identity)) return;
    this.#seen.add(identity);
    const { text, edit } = typeof fix === 'object' ? fix : { text: fix, edit: undefined };
    const editInFile = edit && { ...this.#toFile(edit), text: edit.text };
    this.#list.push({ severity, code, message, fix: text, edit: editInFile, start, end });
  }
}

function placeOf({ start, end }: Diagnostic): string {
  return `${start} ${end}`;
}

const SYNTAX_ERRORS: ReadonlySet<string> = new Set(['YAML_SYNTAX', 'SQL_SYNTAX', 'NOT_A_SELECT']);
