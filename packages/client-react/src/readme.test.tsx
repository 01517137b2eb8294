import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { App, schema } from './testing/readme-example.tsx';
import { usePage } from './testing/page.ts';
import { useTodoDatabase } from './testing/todo-database.tsx';

const app = useTodoDatabase({ schema });
const page = usePage();

const read = (file: string) => readFileSync(path.resolve(import.meta.dirname, file), 'utf8');

test('the README shows the example that is compiled here', () => {
  const [, code] = /```tsx\n([\s\S]*?)```/.exec(read('../README.md')) ?? [];
  const example = read('testing/readme-example.tsx');
  expect(code).toBe(example.replace("'../index.ts'", "'@sluice/client-react'"));
});

test('and it works', async () => {
  await app.db.execute(`INSERT INTO lists (id, name) VALUES ('l', 'Groceries')`);
  const { shows, click } = page.render(<App database={app.db} />);
  await shows('offline, 1 to uploadAdd');
  click('button');
  await shows('offline, 2 to uploadMilk pendingAdd');
});
