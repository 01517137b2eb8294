import type { TextEdit } from '../contract.ts';
import type { Span, Translation } from '../diagnostics.ts';

/** How a scalar is written in YAML. */
export type ScalarStyle = 'plain' | 'single' | 'double' | 'block';

/** The scalar that an SQL string stands in. */
export interface ScalarPlace {
  readonly yaml: string;
  /** The scalar as written, quotes or block header included. */
  readonly span: Span;
  readonly style: ScalarStyle;
  /** Inside `[...]` or `{...}`, where a plain scalar cannot hold commas and brackets. */
  readonly inFlow: boolean;
}

/** An SQL string of the file, which knows where each of its characters stands in the YAML text. */
export class SqlText implements Translation {
  readonly text: string;
  readonly place: ScalarPlace;
  #offsets: readonly number[] | undefined;

  constructor(text: string, place: ScalarPlace) {
    this.text = text;
    this.place = place;
  }

  /** Whether a `#` that was meant as part of the query began a YAML comment. */
  get isCutByComment(): boolean {
    const { yaml, span, style } = this.place;
    return style === 'plain' && /^[ \t]+#/.test(yaml.slice(span.end));
  }

  /** Translates a span in `text` to one in the YAML text. */
  toYaml(span: Span): Span {
    if (span.end <= span.start) {
      const at = this.#insertionPoint(span.start);
      return { start: at, end: at };
    }
    const start = this.#offsetOf(span.start);
    const last = this.#offsetOf(span.end - 1);
    return { start, end: Math.max(start, last + 1) };
  }

  editToYaml(edit: TextEdit): TextEdit | undefined {
    const text = this.#written(edit);
    return text === undefined ? undefined : { ...this.toYaml(edit), text };
  }

  #offsetOf(index: number): number {
    const { yaml, span, style } = this.place;
    this.#offsets ??= alignScalar(this.text, yaml, span, style);
    return this.#offsets[index] ?? span.end;
  }

  /** Before the character at `index`, or behind the last word when there is only space. */
  #insertionPoint(index: number): number {
    if (index < this.text.length && !isSpace(this.text.charAt(index))) {
      return this.#offsetOf(index);
    }
    const before = this.text.slice(0, index).trimEnd().length;
    return before === 0 ? this.place.span.start : this.#offsetOf(before - 1) + 1;
  }

  /** `edit.text` as the scalar's style writes it; undefined where it cannot. */
  #written({ text, start }: TextEdit): string | undefined {
    const { style, inFlow } = this.place;
    if (text.includes('\n')) return undefined;
    if (style === 'single') return text.replaceAll("'", "''");
    if (style === 'double') return text.replaceAll(/["\\]/g, '\\$&');
    if (style === 'block') return text;
    const isUnsafe = /: |:$| #|^#/.test(text) || (inFlow && /[[\]{},]/.test(text));
    return isUnsafe || (start === 0 && !/^[\w(]/.test(text)) ? undefined : text;
  }
}

/**
 * The YAML offset of every character of a scalar's value.
 *
 * Folding, indentation and line ends only ever change white space, so walking both texts and
 * matching everything else one to one finds each character, whatever the style.
 */
function alignScalar(value: string, yaml: string, span: Span, style: ScalarStyle): number[] {
  const offsets: number[] = [];
  let at = contentStart(yaml, span.start, style);
  for (const char of splitUnits(value)) {
    if (isSpace(char)) {
      offsets.push(at);
      if (isSpace(yaml[at] ?? '')) at++;
      else if (style === 'double' && yaml[at] === '\\') at += escapeLength(yaml, at);
      continue;
    }
    while (at < span.end && (isSpace(yaml[at] ?? '') || isLineContinuation(yaml, at, style))) at++;
    offsets.push(at);
    at += unitLength(yaml, at, style);
  }
  return offsets;
}

function contentStart(yaml: string, start: number, style: ScalarStyle): number {
  if (style === 'plain') return start;
  if (style !== 'block') return start + 1;
  const lineEnd = yaml.indexOf('\n', start);
  return lineEnd === -1 ? yaml.length : lineEnd + 1;
}

function splitUnits(value: string): string[] {
  return Array.from({ length: value.length }, (_, i) => value.charAt(i));
}

function isSpace(char: string): boolean {
  return char === ' ' || char === '\n' || char === '\t' || char === '\r';
}

function isLineContinuation(yaml: string, at: number, style: ScalarStyle): boolean {
  return style === 'double' && yaml[at] === '\\' && /^\r?\n/.test(yaml.slice(at + 1, at + 3));
}

function unitLength(yaml: string, at: number, style: ScalarStyle): number {
  if (style === 'single' && yaml[at] === "'") return 2;
  if (style === 'double' && yaml[at] === '\\') return escapeLength(yaml, at);
  return 1;
}

function escapeLength(yaml: string, at: number): number {
  const digits: Record<string, number> = { x: 2, u: 4, U: 8 };
  return 2 + (digits[yaml[at + 1] ?? ''] ?? 0);
}
