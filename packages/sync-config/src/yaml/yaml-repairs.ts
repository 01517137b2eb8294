import { Document, isScalar, parseDocument, visit, type YAMLError } from 'yaml';
import type { TextEdit } from '../contract.ts';
import type { Fix, Span } from '../diagnostics.ts';
import { findYamlExcess } from './yaml-excess.ts';

/**
 * A YAML text that parses after mistakes of a known kind are repaired, so that the rest of the file
 * is checked too. What does not parse is `unreadableFrom` some offset.
 */
export interface ParsedYaml {
  readonly document: Document;
  /** The text that `document` was parsed from. */
  readonly text: string;
  readonly problems: readonly YamlProblem[];
  readonly warnings: readonly YamlProblem[];
  /** Offset in `text` where reading became guesswork; Infinity when all of it is understood. */
  readonly unreadableFrom: number;
  /** A span of `text` as one of the file. */
  readonly toFile: (span: Span) => Span;
}

interface YamlProblem {
  readonly span: Span;
  readonly message: string;
  readonly fix: string | Fix | undefined;
}

/** Bounds the attempts on a file with many mistakes. */
const MAX_REPAIRS = 20;

/** The parser compares each key of a map with each; `duplicateKeys` does not. */
const PARSE_OPTIONS = { prettyErrors: false, logLevel: 'error', uniqueKeys: false } as const;

export function parseYaml(file: string): ParsedYaml {
  const problems: YamlProblem[] = [];
  const repairs: TextEdit[] = [];
  const toFile = (span: Span): Span => undo(repairs, span);
  let text = file;
  for (;;) {
    const excess = findYamlExcess(text);
    if (excess !== undefined) {
      const { offset, message } = excess;
      const span = { start: offset, end: offset };
      problems.push(inFile({ span, message, fix: undefined }, toFile));
      return { document: new Document(), text, problems, warnings: [], unreadableFrom: 0, toFile };
    }
    const document = parseDocument(text, PARSE_OPTIONS);
    const [first] = document.errors;
    const diagnosis = first && (unclosedQuote(first, document) ?? diagnose(first, text));
    const edit = repairs.length < MAX_REPAIRS ? diagnosis?.repair : undefined;
    if (diagnosis !== undefined && edit !== undefined) {
      problems.push(inFile(diagnosis, toFile));
      text = apply(text, edit);
      repairs.push(edit);
      continue;
    }
    if (diagnosis !== undefined) problems.push(inFile(diagnosis, toFile));
    for (const start of duplicateKeys(document)) {
      problems.push(inFile(duplicateKey(start, text), toFile));
    }
    const unreadableFrom =
      diagnosis === undefined ? Infinity : lineStart(text, diagnosis.span.start);
    const warnings = warningsOf(document).map((warning) => inFile(warning, toFile));
    return { document, text, problems, warnings, unreadableFrom, toFile };
  }
}

/** A tag that other tools put in front of queries; it says nothing here. */
const KNOWN_TAG = '!accept_potentially_dangerous_queries';

function warningsOf({ warnings }: Document): readonly Diagnosis[] {
  return warnings
    .filter(({ message }) => !message.includes(KNOWN_TAG))
    .map(({ pos: [start, end], message }) => ({ span: { start, end }, message, fix: 'Remove it' }));
}

interface Diagnosis extends YamlProblem {
  /** Makes the text readable; the same as the fix where that has an edit. */
  readonly repair?: TextEdit | undefined;
}

function inFile({ span, message, fix }: Diagnosis, toFile: (span: Span) => Span): YamlProblem {
  if (typeof fix !== 'object' || fix.edit === undefined)
    return { span: toFile(span), message, fix };
  const edit = { ...toFile(fix.edit), text: fix.edit.text };
  return { span: toFile(span), message, fix: { text: fix.text, edit } };
}

function diagnose({ code, pos, message }: YAMLError, text: string): Diagnosis {
  // The parser may point just behind the text.
  const span = { start: Math.min(pos[0], text.length), end: Math.min(pos[1], text.length) };
  const known = DIAGNOSES.get(code);
  return known === undefined ? { span, message, fix: undefined } : known(span, text, message);
}

type Diagnose = (span: Span, text: string, message: string) => Diagnosis;

const misquoted: Diagnose = (span, text, message) => ({
  span,
  message,
  fix: quoteHint(span, text),
});

/** What the parser's codes mean for people; for others its own message has to do. */
const DIAGNOSES: ReadonlyMap<string, Diagnose> = new Map<string, Diagnose>([
  ['TAB_AS_INDENT', tabs],
  ['MULTILINE_IMPLICIT_KEY', missingColon],
  ['BLOCK_AS_IMPLICIT_KEY', colonInValue],
  ['BAD_INDENT', badIndent],
  ['MULTIPLE_DOCS', furtherDocument],
  ['BAD_SCALAR_START', badStart],
  ['MISSING_CHAR', misquoted],
  ['UNEXPECTED_TOKEN', misquoted],
]);

function furtherDocument({ start, end }: Span): Diagnosis {
  return {
    span: { start, end: Math.min(start + 3, end) },
    message: 'Only the first document is read',
    fix: 'Remove the line ---',
  };
}

function badStart(span: Span, text: string): Diagnosis {
  return {
    span,
    message: `A value cannot begin with ${text.charAt(span.start)}`,
    fix: 'Put the value in quotes, or below the key after a |',
  };
}

/** A quote that is not closed swallows the rest of the file; where it begins is what matters. */
function unclosedQuote({ message }: YAMLError, document: Document): Diagnosis | undefined {
  if (!/closing ["']quote/.test(message)) return undefined;
  let start: number | undefined;
  visit(document, {
    Scalar(_, { type, range }) {
      if (type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE') start = range?.[0];
    },
  });
  if (start === undefined) return undefined;
  const span = { start, end: start + 1 };
  return { span, message: 'This quote is not closed', fix: 'Close it at the end of the value' };
}

/** Where keys begin that their map already has. */
function duplicateKeys(document: Document): readonly number[] {
  const starts: number[] = [];
  visit(document, {
    Map(_, { items }) {
      const known = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (known.has(key.value)) starts.push(key.range?.[0] ?? 0);
        known.add(key.value);
      }
    },
  });
  return starts;
}

function duplicateKey(start: number, text: string): Diagnosis {
  const key = /^[^\s:]*/.exec(text.slice(start))?.[0] ?? '';
  const span = { start, end: start + key.length };
  return { span, message: `There are two keys ${key}`, fix: 'Rename or remove one of them' };
}

function tabs(at: Span, text: string): Diagnosis {
  const start = lineStart(text, at.start);
  const indent = /^[\t ]*/.exec(text.slice(start))?.[0] ?? '';
  const spaces = indent.replaceAll('\t', '  ');
  const edit = { start, end: start + indent.length, text: spaces };
  const message = 'YAML does not allow tabs in the indentation';
  return { span: at, message, fix: { text: 'Use spaces', edit }, repair: edit };
}

/** A key whose line has no colon, so that the next line was read as part of it. */
function missingColon(at: Span, text: string): Diagnosis {
  const firstLine = /^[^\n]*/.exec(text.slice(at.start))?.[0].trimEnd() ?? '';
  const end = at.start + firstLine.length;
  const span = { start: at.start, end };
  const isWord = /^[\w-]+$/.test(firstLine);
  const edit = { start: end, end, text: ':' };
  const message = `There is no colon after ${firstLine}`;
  const fix = { text: `Write ${firstLine}:`, edit: isWord ? edit : undefined };
  return { span, message, fix, repair: fix.edit };
}

/** `query: SELECT ... 'a: b'`: a value with a colon and a blank in it. */
function colonInValue(at: Span, text: string): Diagnosis {
  const start = lineStart(text, at.start);
  const line = /^[^\n]*/.exec(text.slice(start))?.[0] ?? '';
  const [, indent = '', key = ''] = /^(\s*(?:- )?)([\w-]+):\s/.exec(line) ?? [];
  const colon = text.indexOf(': ', at.start);
  const span = colon === -1 || colon > start + line.length ? at : { start: colon, end: colon + 2 };
  const message = 'A colon and a blank begin a new key here, because the value is not quoted';
  if (key === '') return { span, message, fix: 'Put the value in quotes' };
  const value = line.slice(indent.length + key.length + 1).trimStart();
  const at0 = start + line.length - value.length;
  const block = `|\n${' '.repeat(indent.length + 2)}`;
  const edit = { start: at0, end: at0, text: block };
  const fix = { text: `Write ${key}: | and the query on the lines below`, edit };
  return { span, message, fix, repair: edit };
}

function badIndent(at: Span, text: string, reason: string): Diagnosis {
  if (reason.startsWith('Flow')) {
    const message = 'A { or [ above is not closed';
    return { span: at, message, fix: 'Close it, or indent what belongs into it' };
  }
  const start = lineStart(text, at.start);
  const line = /^[^\n]*/.exec(text.slice(start))?.[0] ?? '';
  const from = start + (/\S/.exec(line)?.index ?? 0);
  const span = { start: from, end: Math.max(from + 1, start + line.trimEnd().length) };
  const message = 'This line is not indented like those it belongs to';
  return { span, message, fix: 'Indent keys of the same map with the same number of spaces' };
}

function quoteHint({ start }: Span, text: string): string | undefined {
  const line = /^[^\n]*/.exec(text.slice(lineStart(text, start)))?.[0] ?? '';
  if (/:\s*[|>]/.test(line)) return 'Begin the text on the next line';
  return /["']/.test(line)
    ? 'Put the whole value in quotes, or below the key after a |'
    : undefined;
}

function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

function apply(text: string, { start, end, text: inserted }: TextEdit): string {
  return text.slice(0, start) + inserted + text.slice(end);
}

/** Translates back through the repairs, the last one first. */
function undo(repairs: readonly TextEdit[], span: Span): Span {
  let { start, end } = span;
  for (const repair of repairs.toReversed()) {
    start = undoOffset(repair, start);
    end = undoOffset(repair, end);
  }
  return { start, end: Math.max(start, end) };
}

function undoOffset({ start, end, text }: TextEdit, offset: number): number {
  if (offset <= start) return offset;
  const behind = offset - (start + text.length);
  return behind >= 0 ? end + behind : Math.min(offset, end);
}
