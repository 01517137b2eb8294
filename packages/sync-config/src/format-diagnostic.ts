import type { Diagnostic } from './contract.ts';
import { displayWidth } from './display-width.ts';

export interface FormatOptions {
  /** Longer source lines are cut around the place; default 120. */
  readonly columns?: number | undefined;
  /** Colours a part; by default the text stays as it is. */
  readonly paint?: ((part: DiagnosticPart, text: string) => string) | undefined;
}

/** What a diagnostic consists of, for those who colour it. */
export type DiagnosticPart = 'place' | 'severity' | 'message' | 'underline' | 'fix';

/** 1-based, counted in UTF-16 units, as editors count. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

const DEFAULT_COLUMNS = 120;
const INDENT = '  ';
/** Of a longer problem only the first and the last line are shown. */
const MAX_LINES = 4;

/**
 * A problem for people: place, message, the source with the part underlined, and the fix.
 *
 *     sync.yaml:4:32: error UNKNOWN_FUNCTION: There is no function uper
 *       - SELECT uper(name) FROM t
 *                ^^^^
 *     fix: Did you mean upper?
 */
export function formatDiagnostic(
  yaml: string,
  diagnostic: Diagnostic,
  fileName: string,
  { columns = DEFAULT_COLUMNS, paint = (_, text) => text }: FormatOptions = {},
): string {
  const { line, column } = positionAt(yaml, diagnostic.start);
  const place = paint('place', `${fileName}:${line}:${column}:`);
  const severity = paint('severity', `${diagnostic.severity} ${diagnostic.code}:`);
  const head = `${place} ${severity} ${paint('message', diagnostic.message)}`;
  const source = shownLines(yaml, diagnostic).flatMap((shown) =>
    shown === undefined
      ? [`${INDENT}…`]
      : formatLine(shown, columns - INDENT.length).map(
          (text, i) => INDENT + (i === 1 ? paint('underline', text) : text),
        ),
  );
  const fix = diagnostic.fix === undefined ? [] : [paint('fix', `fix: ${diagnostic.fix}`)];
  return [head, ...source, ...fix].join('\n');
}

/** Line and column of an offset, both from 1. */
export function positionAt(text: string, offset: number): TextPosition {
  const at = Math.min(offset, text.length);
  const lineStart = text.lastIndexOf('\n', at - 1) + 1;
  const line = text.slice(0, lineStart).split('\n').length;
  return { line, column: at - lineStart + 1 };
}

interface ShownLine {
  readonly text: string;
  /** What to underline, as offsets in `text`. */
  readonly from: number;
  readonly to: number;
}

/** The lines that a problem covers; undefined stands for lines that are left out. */
function shownLines(yaml: string, diagnostic: Diagnostic): readonly (ShownLine | undefined)[] {
  const start = Math.min(diagnostic.start, yaml.length);
  const end = Math.max(start, Math.min(diagnostic.end, yaml.length));
  const lines: ShownLine[] = [];
  let lineStart = yaml.lastIndexOf('\n', start - 1) + 1;
  do {
    const nextBreak = yaml.indexOf('\n', lineStart);
    const lineEnd = nextBreak === -1 ? yaml.length : nextBreak;
    const text = yaml.slice(lineStart, lineEnd).trimEnd();
    const indent = /\S/.exec(text)?.index ?? 0;
    const from = lines.length === 0 ? start - lineStart : indent;
    const to = Math.min(Math.max(end - lineStart, from + 1), Math.max(text.length, from + 1));
    if (lines.length === 0 || text !== '') lines.push({ text, from, to });
    lineStart = lineEnd + 1;
  } while (lineStart < end);
  if (lines.length <= MAX_LINES) return lines;
  return [...lines.slice(0, 2), undefined, ...lines.slice(-1)];
}

/** The line and its underline, cut to `columns`. */
function formatLine(line: ShownLine, columns: number): readonly [source: string, under: string] {
  const { text, from, to } = cutAround(line, Math.max(columns, 20));
  // Tabs are kept, so that the underline stands below the text whatever their width.
  const indent = Array.from(text.slice(0, from), (char) =>
    char === '\t' ? '\t' : ' '.repeat(displayWidth(char)),
  ).join('');
  const width = displayWidth(text.slice(from, to));
  return [text, indent + '^'.repeat(Math.max(1, width))];
}

/** Keeps what is underlined in view, with as much around it as there is room for. */
function cutAround(line: ShownLine, columns: number): ShownLine {
  if (line.text.length <= columns) return line;
  const room = columns - Math.min(line.to - line.from, columns);
  let first = Math.max(0, Math.min(line.from - Math.floor(room / 2), line.text.length - columns));
  if (isLowSurrogate(line.text, first)) first++;
  let last = Math.min(line.text.length, first + columns);
  if (isLowSurrogate(line.text, last)) last--;
  const front = first > 0 ? '…' : '';
  const back = last < line.text.length ? '…' : '';
  const body = line.text.slice(first + front.length, last - back.length);
  const text = front + body + back;
  const from = Math.max(line.from - first, front.length);
  return {
    text,
    from,
    to: Math.min(Math.max(line.to - first, from + 1), text.length - back.length),
  };
}

function isLowSurrogate(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff;
}
