import pc from 'picocolors';
import { expect, test } from 'vitest';
import { createScreen } from '../terminal/screen.ts';
import { visibleLength } from '../terminal/text.ts';
import { formatChange, formatValue } from './tail-format.ts';
import { ndjsonLines } from './sync-stream.ts';

const plain = pc.createColors(false);
const atMs = new Date(2026, 0, 2, 3, 4, 5, 6).getTime();
const update = {
  ...({ kind: 'change', op: 'PUT', table: 'todos', id: 'T1', isNew: false } as const),
  columns: [
    { column: 'completed', before: 0, after: 1 },
    { column: 'note', before: null, after: 'x'.repeat(100) },
  ],
};

test('an update shows old and new values on one line, long values cut', () => {
  expect(formatChange(update, { colors: plain, maxColumns: Infinity, atMs })).toBe(
    `03:04:05.006  PUT     todos  T1  completed 0 → 1  note null → ${'x'.repeat(47)}…`,
  );
});

test('a line is cut to the terminal, whatever its colours', () => {
  for (const colors of [plain, pc.createColors(true)]) {
    for (const maxColumns of [20, 40, 41, 42, 60]) {
      const line = formatChange(update, { colors, maxColumns, atMs });
      expect(visibleLength(line)).toBe(maxColumns);
    }
  }
});

test('values are quoted where they could be taken for something else', () => {
  expect(
    ['plain', 'two words', '12', 'null', '', 'a\nb', null, 12, undefined].map(formatValue),
  ).toEqual(['plain', '"two words"', '"12"', '"null"', '""', '"a\\nb"', 'null', '12', '-']);
});

test('lines are found across chunk borders, and inside characters', async () => {
  const bytes = new TextEncoder().encode('{"a":"ü"}\n\n{"b":1}\n{"c":2}');
  for (const size of [1, 2, 3, 100]) {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
      bytes.subarray(n * size, (n + 1) * size),
    );
    const lines: string[] = [];
    for await (const line of ndjsonLines(chunks)) lines.push(line);
    expect(lines).toEqual(['{"a":"ü"}', '{"b":1}', '{"c":2}']);
  }
});

test('on a terminal the live line stays below what is printed; elsewhere it does not exist', () => {
  const written: string[] = [];
  const write = (text: string) => written.push(text);
  const screen = createScreen({ isTTY: true, write }, {});
  screen.setStatus('busy');
  screen.print('done');
  screen.setStatus(undefined);
  expect(written).toEqual(['\r\u001b[2Kbusy', '\r\u001b[2Kdone\nbusy', '\r\u001b[2K']);

  written.length = 0;
  const pipe = createScreen({ write }, {});
  pipe.setStatus('busy');
  pipe.print('done');
  expect(written).toEqual(['done\n']);
});
