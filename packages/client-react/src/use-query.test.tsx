import { ClientError, rowOf } from '@sluice/client';
import { until } from '@sluice/testing';
import { expect, test } from 'vitest';
import { SluiceProvider } from './sluice-context.tsx';
import { usePage } from './testing/page.ts';
import { TABLES, TITLES, useTodoDatabase, type Todo } from './testing/todo-database.tsx';
import type { UseQueryOptions } from './query-arguments.ts';
import { useQuery, type QueryResultState } from './use-query.ts';

const app = useTodoDatabase();
const page = usePage();

function titlesOf({ data }: Pick<QueryResultState<Todo>, 'data'>): string {
  return data.map(({ title }) => title).join() || 'nothing';
}

function Titles({ sql = TITLES }: { readonly sql?: string }) {
  const { isLoading, error, ...rest } = useQuery<Todo>(sql);
  if (isLoading) return 'loading';
  return error === null ? titlesOf(rest) : `error ${(error as ClientError).code}`;
}

/** Titles from `from` on; notes what each render showed. */
function From(props: {
  readonly from: string;
  readonly log: string[];
  readonly options?: UseQueryOptions<Todo>;
}) {
  const sql = 'SELECT id, title FROM todos WHERE title >= ? ORDER BY title';
  const state = useQuery<Todo>(sql, [props.from], props.options);
  const text = `${state.isLoading ? 'loading ' : ''}${titlesOf(state)}`;
  if (props.log.at(-1) !== text) props.log.push(text);
  return text;
}

test('shows what is there, and every local write after it', async () => {
  await app.add('a');
  const { shows } = page.render(app.within(<Titles />));
  await shows('a');
  await app.add('b', 'c');
  await shows('a,b,c');
  await app.db.writeTransaction(async (tx) => {
    await tx.execute(`DELETE FROM todos WHERE id = 'b'`);
    await tx.execute(`UPDATE todos SET title = 'z' WHERE id = 'a'`);
  });
  await shows('c,z');
});

test('components with the same query share one, which ends after the last of them', async () => {
  const both = page.render(app.within([<Titles key="1" />, '|', <Titles key="2" />]));
  await both.shows('nothing|nothing');
  expect(app.watched).toEqual([TITLES]);
  both.rerender(app.within(<Titles />));
  await app.add('a');
  await both.shows('a');
  both.unmount();
  await until('everything is let go of', () => app.store.size === 0);
  expect(app.watched).toEqual([TITLES]);
});

test('parameters are compared by value', async () => {
  await app.add('a', 'b');
  const log: string[] = [];
  const view = page.render(app.within(<From from="b" log={log} />));
  await view.shows('b');
  for (let at = 0; at < 3; at += 1) view.rerender(app.within(<From from="b" log={log} />));
  await app.add('c');
  await view.shows('b,c');
  expect(app.watched).toHaveLength(1);
  expect(log).toEqual(['loading nothing', 'b', 'b,c']);
});

test('new parameters show the result of the ones before until theirs is there', async () => {
  await app.add('a', 'b', 'c');
  const log: string[] = [];
  const view = page.render(app.within(<From from="a" log={log} />));
  await view.shows('a,b,c');
  view.rerender(app.within(<From from="c" log={log} />));
  await view.shows('c');
  view.rerender(app.within(<From from="x" log={log} />));
  await view.shows('nothing');
  expect(log).toEqual(['loading nothing', 'a,b,c', 'loading a,b,c', 'c', 'loading c', 'nothing']);
});

test('they do not if that is not wanted, and a placeholder comes instead', async () => {
  await app.add('a', 'b');
  const log: string[] = [];
  const options = { keepPreviousData: false, placeholderData: [{ id: '', title: 'soon' }] };
  const at = (from: string) => app.within(<From from={from} log={log} options={options} />);
  const view = page.render(at('a'));
  await view.shows('a,b');
  view.rerender(at('b'));
  await view.shows('b');
  expect(log).toEqual(['loading soon', 'a,b', 'loading soon', 'b']);
});

test('other SQL never shows rows of the SQL before', async () => {
  await app.add('a');
  const log: string[] = [];
  function Log({ sql }: { readonly sql: string }) {
    const text = titlesOf(useQuery<Todo>(sql));
    if (log.at(-1) !== text) log.push(text);
    return text;
  }
  const view = page.render(app.within(<Log sql={TITLES} />));
  await view.shows('a');
  view.rerender(app.within(<Log sql="SELECT id, name AS title FROM lists" />));
  await view.shows('nothing');
  await until('the query of before is let go of', () => app.store.size === 1);
  expect(log).toEqual(['nothing', 'a', 'nothing']);
});

test('a query that fails tells its error, and recovers when a write mends what failed', async () => {
  await app.add('1', 'not JSON');
  const view = page.render(
    app.within(<Titles sql="SELECT id, json(title) AS title FROM todos ORDER BY 2" />),
  );
  await view.shows('error SQL');
  await app.db.execute(`UPDATE todos SET title = '2' WHERE title = 'not JSON'`);
  await view.shows('1,2');
});

test('a failure after a result keeps that result beside the error', async () => {
  await app.add('1');
  function Both() {
    const { data, error } = useQuery<Todo>('SELECT id, json(title) AS title FROM todos');
    return `${titlesOf({ data })} ${error === null ? 'fine' : 'failed'}`;
  }
  const { shows } = page.render(app.within(<Both />));
  await shows('1 fine');
  await app.db.execute(`UPDATE todos SET title = '{'`);
  await shows('1 failed');
  await app.db.execute(`UPDATE todos SET title = '3'`);
  await shows('3 fine');
});

test('parameters that SQLite has no value for are an error of the query, not of the component', async () => {
  function Wrong({ value }: { readonly value: unknown }) {
    const { error, data } = useQuery('SELECT ? AS given', [value]);
    return error instanceof ClientError ? error.code : String(data[0]?.['given']);
  }
  const view = page.render(app.within(<Wrong value={undefined} />));
  await view.shows('PARAMETER');
  view.rerender(app.within(<Wrong value={new Map()} />));
  await view.shows('PARAMETER');
  view.rerender(app.within(<Wrong value="fine" />));
  await view.shows('fine');
});

test('all rows are there, also those that look alike', async () => {
  await app.db.executeBatch('INSERT INTO todos (id, title) VALUES (?, ?)', [
    ['1', 'twin'],
    ['2', 'twin'],
  ]);
  const { shows } = page.render(
    app.within([
      <Titles key="1" sql="SELECT title FROM todos" />,
      ' ',
      <Titles key="2" sql="SELECT 'same' AS id, title FROM todos" />,
    ]),
  );
  await shows('twin,twin twin,twin');
});

test('a mapper gives rows as the app works with them, and its error is the one of the query', async () => {
  await app.db.execute(
    `INSERT INTO todos (id, title, done, due) VALUES ('a', 'a', 1, '2026-01-02T03:04:05.000Z')`,
  );
  function Mapped({ mapper }: { readonly mapper?: () => never }) {
    const query = { sql: 'SELECT * FROM todos', mapper: mapper ?? rowOf(TABLES.todos) };
    const { data, error } = useQuery(query);
    if (error instanceof Error) return error.message;
    return data.map(({ done, due }) => `${done} ${due?.getUTCFullYear()}`).join();
  }
  const view = page.render(app.within(<Mapped />));
  await view.shows('true 2026');
  const failing = () => {
    throw new Error('cannot be read');
  };
  view.rerender(app.within(<Mapped mapper={failing} />));
  await view.shows('cannot be read');
  expect(app.watched).toHaveLength(1);
});

test('a query that runs itself, like those of an ORM, is compiled at each render and run when it has to be', async () => {
  await app.add('a', 'b');
  let runs = 0;
  const query = (limit: number) => ({
    compile: () => ({ sql: `SELECT title FROM todos LIMIT ?`, parameters: [limit] }),
    execute: async ({ sql, parameters }: { sql: string; parameters: readonly unknown[] }) => {
      runs += 1;
      const rows = await app.db.getAll<Todo>(sql, parameters);
      return rows.map(({ title }) => title.toUpperCase());
    },
  });
  function Custom({ limit }: { readonly limit: number }) {
    return useQuery(query(limit)).data.join();
  }
  const view = page.render(
    app.within([<Custom key="1" limit={1} />, '|', <Custom key="2" limit={1} />]),
  );
  await view.shows('A|A');
  expect(runs).toBe(1);
  view.rerender(app.within(<Custom limit={2} />));
  await view.shows('A,B');
  expect(runs).toBe(2);
});

test('without a provider the error says what to do', async () => {
  page.render(<Titles />);
  await until('the error', () => page.errors.length > 0);
  expect(page.errors.splice(0)).toEqual([
    expect.objectContaining({
      code: 'PROVIDER',
      message: expect.stringContaining('<SluiceProvider') as string,
    }),
  ]);
});

test('a database that closes leaves on the page what is there, and tells whoever comes later', async () => {
  await app.add('a');
  const view = page.render(app.within(<Titles />));
  await view.shows('a');
  await app.db.close();
  view.rerender(app.within([<Titles key="1" />, ' ', <Titles key="2" sql="SELECT 1" />]));
  await view.shows('a error CLOSED');
});

test('nothing of one database is shown for another', async () => {
  await app.add('secret');
  const log: string[] = [];
  const view = page.render(
    <SluiceProvider database={app.db}>
      <From from="a" log={log} />
    </SluiceProvider>,
  );
  await view.shows('secret');
  const other = await app.openAnother();
  view.rerender(
    <SluiceProvider database={other}>
      <From from="a" log={log} />
    </SluiceProvider>,
  );
  await view.shows('nothing');
  expect(log).toEqual(['loading nothing', 'secret', 'loading nothing', 'nothing']);
});
