import type { Diagnostic } from './contract.ts';

/** Offsets in UTF-16 units; `end` is exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Takes problems whose spans refer to one text: the YAML file, or one SQL string inside it. */
export interface Reporter {
  error(code: string, span: Span, message: string, fix?: string): void;
  warn(code: string, span: Span, message: string, fix?: string): void;
}

/** Collects the problems of a file, so that all are reported at once. */
export class Diagnostics implements Reporter {
  readonly #list: Diagnostic[] = [];
  readonly #seen = new Set<string>();
  /** Errors reported so far. */
  errorCount = 0;

  error(code: string, span: Span, message: string, fix?: string): void {
    this.errorCount++;
    this.#add('error', code, span, message, fix);
  }

  warn(code: string, span: Span, message: string, fix?: string): void {
    this.#add('warning', code, span, message, fix);
  }

  /** A reporter for a text inside the file, given how its spans translate. */
  within(translate: (span: Span) => Span): Reporter {
    return {
      error: (code, span, message, fix) => this.error(code, translate(span), message, fix),
      warn: (code, span, message, fix) => this.warn(code, translate(span), message, fix),
    };
  }

  /** In the order of the text. */
  list(): readonly Diagnostic[] {
    return this.#list.toSorted((a, b) => a.start - b.start || a.end - b.end);
  }

  #add(
    severity: Diagnostic['severity'],
    code: string,
    span: Span,
    message: string,
    fix: string | undefined,
  ): void {
    // A CTE is compiled once per mention; its problems are still one problem.
    const identity = `${code} ${span.start} ${span.end} ${message}`;
    if (this.#seen.has(identity)) return;
    this.#seen.add(identity);
    this.#list.push({ severity, code, message, fix, start: span.start, end: span.end });
  }
}
