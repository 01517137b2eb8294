import { malformedValue } from './malformed-value.ts';

interface Members {
  /** A member that is absent altogether is null: NULL, or an unbounded side. */
  readonly members: readonly (string | null)[];
  /** Where the closing bracket stands. */
  readonly end: number;
}

/** The members of a composite in output form, `(1,"a ""b",)`; `from` is behind the bracket. */
export function parseComposite(text: string, from: number): Members {
  return parseMembers(text, from, CLOSE_ROUND);
}

/** The two bounds of a range in output form, `[1,10)`; `from` is behind the bracket. */
export function parseBounds(text: string, from: number): Members {
  return parseMembers(text, from, CLOSE_SQUARE);
}

/** A round bracket always closes; `alsoCloses` is a second one that does. */
function parseMembers(text: string, from: number, alsoCloses: number): Members {
  const members: (string | null)[] = [];
  let member: string | null = null;
  for (let at = from; at < text.length;) {
    const code = text.charCodeAt(at);
    if (code === COMMA) {
      members.push(member);
      member = null;
      at++;
    } else if (code === CLOSE_ROUND || code === alsoCloses) {
      members.push(member);
      return { members, end: at };
    } else if (code === QUOTE) {
      const end = quotedEnd(text, at + 1);
      member = (member ?? '') + unescape(text.slice(at + 1, end));
      at = end + 1;
    } else {
      const end = bareEnd(text, at, alsoCloses);
      member = (member ?? '') + unescape(text.slice(at, end));
      at = end;
    }
  }
  throw malformedValue('composite or range');
}

const COMMA = ','.charCodeAt(0);
const QUOTE = '"'.charCodeAt(0);
const BACKSLASH = '\\'.charCodeAt(0);
const CLOSE_ROUND = ')'.charCodeAt(0);
const CLOSE_SQUARE = ']'.charCodeAt(0);

/** Inside quotes a quote is doubled; a backslash takes away the meaning of what follows it. */
function quotedEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) {
      if (text.charCodeAt(at + 1) !== QUOTE) return at;
      at++;
    }
  }
  throw malformedValue('composite or range');
}

/** Unquoted members of a composite may hold square brackets. */
function bareEnd(text: string, from: number, alsoCloses: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === COMMA || code === QUOTE) return at;
    if (code === CLOSE_ROUND || code === alsoCloses) return at;
    if (code === BACKSLASH) at++;
  }
  throw malformedValue('composite or range');
}

function unescape(text: string): string {
  return text.replace(/""|\\([^])/g, (_, escaped: string | undefined) => escaped ?? '"');
}
