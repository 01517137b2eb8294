import { createQueryStore } from '@sluice/client';
import { until } from '@sluice/testing';
import {
  Activity,
  memo,
  Profiler,
  StrictMode,
  startTransition,
  useLayoutEffect,
  useState,
  type ReactNode,
} from 'react';
import { renderToString } from 'react-dom/server';
import { expect, test } from 'vitest';
import { SluiceProvider } from './sluice-context.tsx';
import { usePage } from './testing/page.ts';
import { TITLES, useTodoDatabase, type Todo } from './testing/todo-database.tsx';
import { useQuery } from './use-query.ts';

const app = useTodoDatabase();
const page = usePage();

function Titles() {
  const { data, isLoading } = useQuery<Todo>(TITLES);
  return isLoading ? 'loading' : data.map(({ title }) => title).join();
}

test('a change of one row renders that row alone', async () => {
  await app.add('a', 'b', 'c');
  const renders: string[] = [];
  const Row = memo(function Row({ todo }: { readonly todo: Todo }) {
    renders.push(todo.title);
    return `${todo.title} `;
  });
  function List() {
    return useQuery<Todo>(TITLES).data.map((todo) => <Row key={todo.id} todo={todo} />);
  }
  const { shows } = page.render(app.within(<List />));
  await shows('a b c ');
  expect(renders.splice(0)).toEqual(['a', 'b', 'c']);
  await app.db.execute(`UPDATE todos SET title = 'bb' WHERE id = 'b'`);
  await shows('a bb c ');
  expect(renders.splice(0)).toEqual(['bb']);
  await app.add('0');
  await shows('0 a bb c ');
  expect(renders).toEqual(['0']);
});

test('a run that changes nothing renders nothing, if fetching is not reported', async () => {
  await app.add('a');
  let renders = 0;
  const first = 'SELECT title FROM todos ORDER BY title LIMIT 1';
  function First() {
    renders += 1;
    return useQuery<Todo>(first, [], { reportFetching: false }).data[0]?.title;
  }
  const { shows } = page.render(app.within([<First key="1" />, ' ', <Titles key="2" />]));
  await shows('a a');
  const before = renders;
  await app.add('b');
  await shows('a a,b');
  await app.store.query({ sql: first, parameters: [] }, { reportFetching: false }).refresh();
  expect(renders).toBe(before);
});

test('the result object stays the same while nothing changes', async () => {
  const results = new Set<unknown>();
  function Result({ text }: { readonly text: string }) {
    const result = useQuery(TITLES, []);
    if (!result.isFetching) results.add(result);
    return result.isFetching ? 'fetching' : text;
  }
  const view = page.render(app.within(<Result text="1" />));
  await view.shows('1');
  view.rerender(app.within(<Result text="2" />));
  await view.shows('2');
  expect(results.size).toBe(1);
});

test('StrictMode, which mounts everything twice, starts nothing twice', async () => {
  const { shows } = page.render(<StrictMode>{app.within(<Titles />)}</StrictMode>);
  await app.add('a');
  await shows('a');
  expect(app.watched).toEqual([TITLES]);
});

test('a component that is taken away and put back within the grace finds its query running', async () => {
  let runs = 0;
  const query = {
    compile: () => ({ sql: 'SELECT 1', parameters: [] }),
    execute: async () => [(runs += 1)],
  };
  function Run() {
    return `run ${useQuery(query).data.join()}`;
  }
  const store = createQueryStore(app.db, { graceMs: 4000 });
  const at = (children: ReactNode) => (
    <SluiceProvider database={app.db} store={store}>
      {children}
    </SluiceProvider>
  );
  const view = page.render(at(<Run />));
  await view.shows('run 1');
  view.rerender(at('away'));
  await view.shows('away');
  view.rerender(at(<Run />));
  await view.shows('run 1');
  expect(runs).toBe(1);
});

test('after the grace it is let go of, and mounting it runs it anew', async () => {
  await app.add('a');
  const view = page.render(app.within(<Titles />));
  await view.shows('a');
  view.rerender(app.within('away'));
  await until('it is let go of', () => app.store.size === 0);
  await app.add('b');
  view.rerender(app.within(<Titles />));
  await view.shows('a,b');
  expect(app.watched).toEqual([TITLES, TITLES]);
});

test('what is hidden does not run, and shows nothing old when it comes back', async () => {
  await app.add('a');
  const log: string[] = [];
  function Logged() {
    const { data, isLoading } = useQuery<Todo>(TITLES);
    const text = isLoading ? 'loading' : data.map(({ title }) => title).join();
    useLayoutEffect(() => void log.push(text));
    return text;
  }
  const at = (mode: 'visible' | 'hidden') =>
    app.within(
      <Activity mode={mode}>
        <Logged />
      </Activity>,
    );
  const view = page.render(at('visible'));
  await view.shows('a');
  view.rerender(at('hidden'));
  await until('it is let go of', () => app.store.size === 0);
  await app.add('b');
  log.length = 0;
  view.rerender(at('visible'));
  await until('it shows what is there', () => log.at(-1) === 'a,b');
});

test('within one commit all components show the same result, also if it came while they rendered', async () => {
  await app.add('0');
  let renders = 0;
  let mountAnew = (): void => undefined;
  function Slow() {
    const { data } = useQuery<Todo>('SELECT max(title) AS title FROM todos');
    const end = performance.now() + 6;
    while (performance.now() < end); // So that React gives way between components.
    renders += 1;
    return <i>{data[0]?.title}</i>;
  }
  const commits: string[] = [];
  function Many() {
    const [count, setCount] = useState(0);
    mountAnew = () => startTransition(() => setCount((before) => before + 1));
    const slow = Array.from({ length: 10 }, (_, at) => <Slow key={`${count}.${at}`} />);
    return (
      <Profiler id="many" onRender={() => void commits.push(view.html)}>
        <b>{count}</b>
        {slow}
      </Profiler>
    );
  }
  const view = page.render(app.within(<Many />));
  await view.shows('00000000000');
  for (let round = 1; round <= 5; round += 1) {
    const before = renders;
    mountAnew();
    await until('React is at it', () => renders > before);
    await app.add(String(round));
    await view.shows(`${round}${String(round).repeat(10)}`);
  }
  const shown = commits.map((html) => [...html.matchAll(/<i>(\d)/g)].map(([, title]) => title));
  expect(shown.length).toBeGreaterThan(10);
  expect(shown.filter((titles) => new Set(titles).size > 1)).toEqual([]);
});

test('a server renders the placeholder and runs nothing; the page takes over from there', async () => {
  await app.add('a');
  const html = renderToString(app.within(<Titles />));
  expect(html).toBe('loading');
  expect(app.watched).toEqual([]);
  const { shows } = page.hydrate(html, app.within(<Titles />));
  await shows('a');
  expect(page.errors).toEqual([]);
  expect(app.watched).toEqual([TITLES]);
});
