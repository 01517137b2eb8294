import type { Span } from '../diagnostics.ts';

/** How a scalar is written in YAML. */
export type ScalarStyle = 'plain' | 'single' | 'double' | 'block';

/** An SQL string of the file, which knows where each of its characters stands in the YAML text. */
export class SqlText {
  readonly text: string;
  readonly #yaml: string;
  readonly #span: Span;
  readonly #style: ScalarStyle;
  #offsets: readonly number[] | undefined;

  /** `span` is the scalar as written, quotes or block header included. */
  constructor(text: string, yaml: string, span: Span, style: ScalarStyle) {
    this.text = text;
    this.#yaml = yaml;
    this.#span = span;
    this.#style = style;
  }

  /** Translates a span in `text` to one in the YAML text. */
  toYaml(span: Span): Span {
    this.#offsets ??= alignScalar(this.text, this.#yaml, this.#span, this.#style);
    const start = this.#offsets[span.start] ?? this.#span.end;
    if (span.end <= span.start) return { start, end: start };
    const last = this.#offsets[span.end - 1] ?? this.#span.end - 1;
    return { start, end: Math.max(start, last + 1) };
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
