import { expect, test } from 'vitest';
import { until } from '@sluice/testing';
import type { UseQueryOptions } from './query-arguments.ts';
import { usePage } from './testing/page.ts';
import { TITLES, useTodoDatabase, type Todo } from './testing/todo-database.tsx';
import { useQuery } from './use-query.ts';

const app = useTodoDatabase();
const page = usePage();

let refresh: () => Promise<void>;

function Titles({ options }: { readonly options: UseQueryOptions<Todo> }) {
  const result = useQuery<Todo>(TITLES, [], options);
  if (options.runOnce === true) refresh = result.refresh;
  if (result.isLoading) return 'loading';
  return result.data.map(({ title }) => title).join() || 'nothing';
}

test('with `tables`, changes of those run the query and others do not', async () => {
  const { shows } = page.render(
    app.within([
      <Titles key="1" options={{ tables: ['lists'] }} />,
      '|',
      <Titles key="2" options={{}} />,
    ]),
  );
  await shows('nothing|nothing');
  await app.add('a');
  await shows('nothing|a');
  await app.db.execute(`INSERT INTO lists (id) VALUES ('l')`);
  await shows('a|a');
});

test('with `throttleMs`, runs start at least so far apart', async () => {
  const { shows } = page.render(app.within(<Titles options={{ throttleMs: 400 }} />));
  const beganMs = performance.now();
  await shows('nothing');
  const firstMs = performance.now();
  await app.add('a');
  await shows('a');
  // The first run began between the two.
  expect(performance.now() - beganMs).toBeGreaterThanOrEqual(400);
  await app.add('b');
  await shows('a,b');
  expect(performance.now() - firstMs).toBeGreaterThanOrEqual(400);
});

test('with `runOnce`, only `refresh` and a later mount run it again', async () => {
  const options = { runOnce: true };
  const view = page.render(
    app.within([<Titles key="1" options={{}} />, '|', <Titles key="2" options={options} />]),
  );
  await view.shows('nothing|nothing');
  await app.add('a');
  await view.shows('a|nothing');
  await refresh();
  await view.shows('a|a');
  await app.add('b');
  await view.shows('a,b|a');
  await until('it has been there for longer than the grace', async () => {
    await new Promise((resolve) => setTimeout(resolve, 40));
    return true;
  });
  view.rerender(
    app.within([
      <Titles key="1" options={{}} />,
      '|',
      <Titles key="2" options={options} />,
      '|',
      <Titles key="3" options={options} />,
    ]),
  );
  await view.shows('a,b|a,b|a,b');
});

test('`refresh` runs what no write announces, and resolves when that is shown', async () => {
  let now = 0;
  const clock = {
    compile: () => ({ sql: 'SELECT 1', parameters: [] }),
    execute: async () => [(now += 1)],
  };
  let again: () => Promise<void> = () => Promise.resolve();
  function Clock() {
    const { data, refresh: run, isFetching } = useQuery(clock);
    again = run;
    return `${data[0]} ${isFetching ? 'fetching' : 'quiet'}`;
  }
  const { shows } = page.render(app.within(<Clock />));
  await shows('1 quiet');
  await Promise.all([again(), again()]);
  expect(now).toBeLessThanOrEqual(3);
  await shows(`${now} quiet`);
  await again();
  await shows(`${now} quiet`);
});

test('with a `rowComparator`, rows that it finds unchanged are the objects of before', async () => {
  await app.add('a', 'b');
  const seen: (readonly Todo[])[] = [];
  const rowComparator = {
    keyBy: ({ id }: Todo) => id,
    compareBy: ({ title }: Todo) => title.toLowerCase(),
  };
  function List() {
    const { data, isFetching } = useQuery<Todo>(TITLES, [], { rowComparator });
    if (!isFetching) seen.push(data);
    return data.map(({ title }) => title).join();
  }
  const { shows } = page.render(app.within(<List />));
  await shows('a,b');
  await app.db.execute(`UPDATE todos SET title = 'A' WHERE id = 'a'`);
  await app.db.execute(`UPDATE todos SET title = 'c' WHERE id = 'b'`);
  await shows('a,c');
  const [before, after] = [seen[0], seen.at(-1)];
  expect(after?.[0]).toBe(before?.[0]);
  expect(after?.[1]).not.toBe(before?.[1]);
});

test('one that is written in place at each render begins no query anew', async () => {
  await app.add('a');
  function List({ text }: { readonly text: string }) {
    const { data } = useQuery<Todo>(TITLES, [], {
      rowComparator: { keyBy: ({ id }) => id, compareBy: ({ title }) => title },
    });
    return `${text} ${data.map(({ title }) => title).join()}`;
  }
  const view = page.render(app.within(<List text="1" />));
  await view.shows('1 a');
  view.rerender(app.within(<List text="2" />));
  await view.shows('2 a');
  expect(app.watched).toHaveLength(1);
});

test('queries with the same text and another `cacheKey` are apart', async () => {
  const query = (text: string) => ({
    compile: () => ({ sql: 'SELECT 1', parameters: [] }),
    execute: () => Promise.resolve([text]),
  });
  function Own({ text }: { readonly text: string }) {
    return useQuery(query(text), [], { cacheKey: text }).data.join();
  }
  const { shows } = page.render(app.within([<Own key="1" text="a" />, <Own key="2" text="b" />]));
  await shows('ab');
});
