import type { ClientError } from '@sluice/client';
import { until } from '@sluice/testing';
import { StrictMode } from 'react';
import { expect, test } from 'vitest';
import { LineService, TODOS_LINES } from './testing/line-service.ts';
import { usePage } from './testing/page.ts';
import { TITLES, useTodoDatabase, type Todo } from './testing/todo-database.tsx';
import { useQuery } from './use-query.ts';
import { useStatus } from './use-status.ts';
import { useAllStreamsHaveSynced, useStream } from './use-stream.ts';

let service = new LineService();
const app = useTodoDatabase({ fetch: (...call) => service.fetch(...call) });
const page = usePage();

const TODOS = { name: 'todos', parameters: { list_id: 'L1' } };

async function connect(): Promise<void> {
  service = new LineService();
  await app.db.connect(service.connector);
}

function StreamText({ ttl }: { readonly ttl?: number }) {
  const { status, hasSynced, error } = useStream('todos', { list_id: 'L1' }, { ttl });
  if (error !== null) return `error ${(error as ClientError).code}`;
  return status === null ? 'unknown' : `${status.active ? 'active' : 'idle'} ${hasSynced}`;
}

function Titles({ name = 'todos' }: { readonly name?: string }) {
  const stream = { ...TODOS, name, waitForStream: true };
  const { data, isLoading, error } = useQuery<Todo>(TITLES, [], { streams: [stream] });
  if (error !== null) return `error ${(error as ClientError).code}`;
  return isLoading ? 'loading' : data.map(({ title }) => title).join();
}

test('a stream is subscribed to while a component wants it, once for all of them', async () => {
  await connect();
  const view = page.render(
    <StrictMode>{app.within([<StreamText key="1" />, '|', <StreamText key="2" />])}</StrictMode>,
  );
  await view.shows('idle false|idle false');
  await service.send(1, ...TODOS_LINES);
  await view.shows('active true|active true');
  const [subscription] = app.db.currentStatus.streams;
  expect(service.subscriptions).toHaveLength(1);
  expect(subscription).toMatchObject({ name: 'todos', params: { list_id: 'L1' } });
  view.unmount();
  await until('it is given back', () => app.store.size === 0);
});

test('with a ttl of 0 the subscription goes with the last component', async () => {
  await connect();
  const view = page.render(app.within(<StreamText ttl={0} />));
  await service.send(1, ...TODOS_LINES);
  await view.shows('active true');
  view.rerender(app.within('away'));
  await until('it is not asked for any more', async () => {
    // Expiry is looked at with each keep-alive.
    await service.send(service.subscriptions.length, { token_expires_in: 3600 });
    return service.subscriptions.length === 0;
  });
});

test('what the service says against a stream is its error', async () => {
  await connect();
  const { shows } = page.render(app.within(<StreamText />));
  const errors = [{ subscription: 0, message: 'no such stream' }];
  const streams = [{ name: 'todos', is_default: false, errors }];
  const checkpoint = { last_op_id: '1', buckets: [], streams };
  await service.send(1, { checkpoint }, { checkpoint_complete: { last_op_id: '1' } });
  await shows('error STREAM');
});

test('a subscription that cannot be made is an error too', async () => {
  const { shows } = page.render(app.within(<StreamText ttl={-1} />));
  await shows('error PARAMETER');
});

test('a query that waits for a stream loads until that has synced', async () => {
  await connect();
  const { shows } = page.render(app.within(<Titles />));
  await shows('loading');
  await until('it is subscribed to', () => service.subscriptions.length === 1);
  expect(app.watched).toEqual([]);
  await service.send(1, ...TODOS_LINES);
  await until('the stream', () => app.db.currentStatus.streams[0]?.hasSynced === true);
  await shows('Bread,Milk');
});

test('a query that waits for a stream that cannot be had tells so', async () => {
  await connect();
  const { shows } = page.render(app.within(<Titles name="missing" />));
  await service.send(1, ...TODOS_LINES);
  await shows('error STREAM');
});

test('offline, a stream that has synced before keeps nothing waiting', async () => {
  await connect();
  const first = page.render(app.within(<Titles />));
  await service.send(1, ...TODOS_LINES);
  await first.shows('Bread,Milk');
  first.unmount();
  await until('it is let go of', () => app.store.size === 0);
  await app.db.disconnect();
  const again = page.render(app.within(<Titles />));
  await again.shows('Bread,Milk');
});

test('all streams of a list have synced when each of them has', async () => {
  await connect();
  function All() {
    return String(useAllStreamsHaveSynced([TODOS]));
  }
  const view = page.render(app.within(<All />));
  await view.shows('false');
  await service.send(1, ...TODOS_LINES);
  await view.shows('true');
});

test('a status that is selected renders for changes of that, not for each step of a download', async () => {
  const renders: string[] = [];
  function Selected() {
    const { online, at } = useStatus(({ connected, hasSynced }) => ({
      online: connected,
      at: [hasSynced],
    }));
    renders.push(`${online} ${at.join()}`);
    return renders.at(-1);
  }
  const whole: unknown[] = [];
  function Whole() {
    whole.push(useStatus());
    return null;
  }
  const view = page.render(app.within([<Selected key="1" />, <Whole key="2" />]));
  await view.shows('false false');
  await connect();
  await view.shows('true false');
  await app.db.syncStream('todos', { list_id: 'L1' }).subscribe();
  await service.send(1, ...TODOS_LINES);
  await view.shows('true true');
  expect(renders).toEqual(['false false', 'true false', 'true true']);
  expect(whole.length).toBeGreaterThan(3);
});
