/*
 * The legacy form of data lines, in which the data of an operation is the row itself instead of its JSON text (spec/protocol.md 2.4). We ask for
 * the text; a service that does not know the question sends the row.
 */

/** Whether a line, parsed as JSON, is of data in that form, in which all its operations are then. */
export function hasEmbeddedRows(line: unknown): boolean {
  const ops = (line as { readonly data?: { readonly data?: unknown } } | null)?.data?.data;
  if (!Array.isArray(ops)) return false;
  for (const op of ops as readonly unknown[]) {
    const data = dataOf(op);
    if (data !== undefined && data !== null) return typeof data === 'object';
  }
  return false;
}

function dataOf(op: unknown): unknown {
  return typeof op === 'object' && op !== null && 'data' in op ? op.data : undefined;
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]]/g;
/** Of the line, its body, the list, the operation, and its row. */
const ROW_DEPTH = 5;

/** The line's JSON with the text of each row, as the service wrote it, in the row's place. */
export function withRowsAsText(line: string): string {
  let depth = 0;
  let begin = 0;
  let end = 0;
  let text = '';
  for (const { 0: token, index } of line.matchAll(TOKEN)) {
    if (token === '{' || token === '[') {
      depth += 1;
      if (depth === ROW_DEPTH && token === '{') begin = index;
    } else if (token === '}' || token === ']') {
      if (depth === ROW_DEPTH && token === '}') {
        text += line.slice(end, begin) + JSON.stringify(line.slice(begin, index + 1));
        end = index + 1;
      }
      depth -= 1;
    }
  }
  return text + line.slice(end);
}
