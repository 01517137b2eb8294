import { until } from '@sluice/testing';
import {
  Component,
  startTransition,
  StrictMode,
  Suspense,
  useLayoutEffect,
  useState,
  type ReactNode,
} from 'react';
import { expect, test } from 'vitest';
import { usePage } from './testing/page.ts';
import { TITLES, useTodoDatabase, type Todo } from './testing/todo-database.tsx';
import { useQuery } from './use-query.ts';
import { useRetryFailedQueries } from './use-retry-failed-queries.ts';
import { useSuspenseQuery } from './use-suspense-query.ts';
import { useSuspenseWatchedQuery, useWatchedQuery } from './use-watched-query.ts';

const app = useTodoDatabase();
const page = usePage();

function Titles({ sql = TITLES }: { readonly sql?: string }) {
  const { data, error } = useSuspenseQuery<Todo>(sql);
  const titles = data.map(({ title }) => title).join() || 'nothing';
  return error === null ? titles : `${titles} failed`;
}

function suspending(children: ReactNode): ReactNode {
  return app.within(<Suspense fallback="fallback">{children}</Suspense>);
}

interface BoundaryProps {
  readonly children: ReactNode;
  readonly onReset: () => void;
}

class Boundary extends Component<BoundaryProps, { readonly error: unknown }> {
  override state = { error: null };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    if (this.state.error === null) return this.props.children;
    const reset = () => {
      this.props.onReset();
      this.setState({ error: null });
    };
    return <button onClick={reset}>{(this.state.error as { code?: string }).code}</button>;
  }
}

function RetryingBoundary({ children }: { readonly children: ReactNode }) {
  return <Boundary onReset={useRetryFailedQueries()}>{children}</Boundary>;
}

test('suspends until the first result, and shows every later one', async () => {
  await app.add('a');
  const { shows } = page.render(suspending(<Titles />));
  await shows('fallback');
  await shows('a');
  await app.add('b');
  await shows('a,b');
  expect(app.watched).toEqual([TITLES]);
});

test('shares the query with `useQuery`, also in StrictMode', async () => {
  await app.add('a');
  function Plain() {
    return useQuery<Todo>(TITLES, [])
      .data.map(({ title }) => title)
      .join();
  }
  const view = page.render(
    <StrictMode>{suspending([<Titles key="1" />, <Plain key="2" />])}</StrictMode>,
  );
  await view.shows('aa');
  expect(app.watched).toEqual([TITLES]);
  view.unmount();
  await until('it is let go of', () => app.store.size === 0);
});

test('a query that suspends and is never shown is let go of', async () => {
  const never = new Promise<never>(() => undefined);
  function Never(): never {
    throw never;
  }
  const view = page.render(suspending([<Titles key="1" />, <Never key="2" />]));
  await view.shows('fallback');
  await until('it runs', () => app.watched.length === 1);
  await until('it is let go of', () => app.store.size === 0);
  expect(view.text).toBe('fallback');
});

test('many that suspend together are shown together, each run once', async () => {
  await app.add('a', 'b', 'c');
  const one = (title: string) => `SELECT id, title FROM todos WHERE title = '${title}'`;
  const { shows } = page.render(
    suspending(['a', 'b', 'c'].map((title) => <Titles key={title} sql={one(title)} />)),
  );
  await shows('abc');
  expect(app.watched.toSorted()).toEqual(['a', 'b', 'c'].map(one));
});

test('in a transition the old result stays until the new one is there, and nothing falls back', async () => {
  await app.add('a', 'b');
  const log: string[] = [];
  let select: (title: string) => void = () => undefined;
  function One({ title }: { readonly title: string }) {
    const { data } = useSuspenseQuery<Todo>('SELECT id, title FROM todos WHERE id = ?', [title]);
    return data[0]?.title;
  }
  function Fallback() {
    useLayoutEffect(() => void log.push('fallback'));
    return 'fallback';
  }
  function Selected() {
    const [title, setTitle] = useState('a');
    select = (next) => startTransition(() => setTitle(next));
    return (
      <Suspense fallback={<Fallback />}>
        <One title={title} />
      </Suspense>
    );
  }
  const { shows } = page.render(app.within(<Selected />));
  await shows('a');
  log.length = 0;
  select('b');
  await shows('b');
  expect(log).toEqual([]);
});

test('the error of a query that never had a result goes to the error boundary, whose reset tries again', async () => {
  await app.add('{');
  const view = page.render(
    suspending(
      <RetryingBoundary>
        <Titles sql="SELECT id, json(title) AS title FROM todos" />
      </RetryingBoundary>,
    ),
  );
  await view.shows('SQL');
  view.click('button');
  await until('it was tried again', () => app.watched.length === 2);
  await view.shows('SQL');
  await app.db.execute(`UPDATE todos SET title = '1'`);
  view.click('button');
  await view.shows('1');
});

test('a later error is told beside the last result', async () => {
  await app.add('1');
  const { shows } = page.render(
    suspending(<Titles sql="SELECT id, json(title) AS title FROM todos" />),
  );
  await shows('1');
  await app.db.execute(`UPDATE todos SET title = '{'`);
  await shows('1 failed');
  await app.db.execute(`UPDATE todos SET title = '2'`);
  await shows('2');
});

test('a query that the app watches is followed, and stays the app’s to close', async () => {
  const query = app.db.query<Todo>({ sql: TITLES }).differentialWatch();
  function Both() {
    const plain = useWatchedQuery(query);
    const { data } = useSuspenseWatchedQuery(query);
    return `${plain.data.length} ${data.map(({ title }) => title).join()}`;
  }
  const view = page.render(suspending(<Both />));
  await view.shows('0 ');
  await app.add('a');
  await view.shows('1 a');
  view.unmount();
  await until('nobody listens', () => query.listenerCounts.onStateChange === 0);
  expect(query.closed).toBe(false);
  query.close();
});

test('a watched query that was closed before its first result does not suspend for ever', async () => {
  const query = app.db.query<Todo>({ sql: TITLES }).watch();
  query.close();
  function Closed() {
    return useSuspenseWatchedQuery(query).data.length;
  }
  const { shows } = page.render(
    suspending(
      <RetryingBoundary>
        <Closed />
      </RetryingBoundary>,
    ),
  );
  await shows('CLOSED');
});
