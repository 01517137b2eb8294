import { cut } from './text.ts';

const MAX_CELL_LENGTH = 60;

/** Rows in columns of equal width, with a heading; NULL is empty. */
export function formatTable(
  columns: readonly string[],
  rows: readonly (readonly (string | null)[])[],
): string[] {
  const cells = rows.map((row) =>
    row.map((value) => cut((value ?? '').replace(/\s+/g, ' '), MAX_CELL_LENGTH)),
  );
  const widths = columns.map((name, index) =>
    Math.max(name.length, ...cells.map((row) => row[index]?.length ?? 0)),
  );
  const line = (parts: readonly string[]) =>
    parts
      .map((part, index) => part.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(columns), line(widths.map((width) => '─'.repeat(width))), ...cells.map(line)];
}
