import { until } from '@sluice/testing';
import { expect, test } from 'vitest';
import { afterWrites, LineService, TODOS_LINES } from './testing/line-service.ts';
import { usePage } from './testing/page.ts';
import { useTodoDatabase } from './testing/todo-database.tsx';
import { useMutation } from './use-mutation.ts';
import { usePendingUploads, useRejectedWrites, useRowSyncState } from './use-uploads.ts';

let service = new LineService();
const app = useTodoDatabase({ fetch: (...call) => service.fetch(...call) });
const page = usePage();

function Pending() {
  const pending = usePendingUploads({ withSize: true });
  if (pending === null) return 'unknown';
  return `${pending.count} waiting${(pending.size ?? 0) > 0 ? ' with bytes' : ''}`;
}

function RowState({ id }: { readonly id: string }) {
  return `${id}:${useRowSyncState('todos', id)} `;
}

test('waiting uploads are counted through local writes and their completion', async () => {
  const { shows } = page.render(app.within(<Pending />));
  await shows('0 waiting');
  await app.add('a', 'b');
  await shows('2 waiting with bytes');
  await app.db.execute(`UPDATE todos SET title = 'c' WHERE id = 'a'`);
  await shows('3 waiting with bytes');
  await (await app.db.getNextCrudTransaction())?.complete();
  await shows('1 waiting with bytes');
  await (await app.db.getNextCrudTransaction())?.complete();
  await shows('0 waiting');
});

test('while uploads fail, it shows how often, and when the next attempt is', async () => {
  service = new LineService();
  let isDown = true;
  await app.db.connect({
    ...service.connector,
    uploadData: async (database) => {
      if (isDown) throw new Error('down');
      await (await database.getCrudBatch())?.complete();
    },
  });
  function Attempts() {
    const pending = usePendingUploads();
    if (pending === null) return 'unknown';
    const { count, attempts, nextRetryAt } = pending;
    const isPlanned = nextRetryAt !== undefined && nextRetryAt.getTime() > Date.now() - 5_000;
    return `${count} waiting, ${attempts} attempts, ${isPlanned ? 'next planned' : 'none planned'}`;
  }
  const { shows } = page.render(app.within(<Attempts />));
  await shows('0 waiting, 0 attempts, none planned');
  await app.add('a');
  await shows('1 waiting, 1 attempts, next planned');
  const { attempts, nextRetryAt } = await app.db.getUploadQueueStats();
  expect(attempts).toBe(1);
  expect(nextRetryAt).toEqual(app.db.currentStatus.nextUploadAt);
  isDown = false;
  app.db.hint();
  await shows('0 waiting, 0 attempts, none planned');
});

test('a row is pending from a local write until a checkpoint has confirmed it', async () => {
  service = new LineService();
  await app.db.syncStream('todos', { list_id: 'L1' }).subscribe();
  await app.db.connect(service.connector);
  const { shows } = page.render(
    app.within(['T1', 'T2'].map((id) => <RowState key={id} id={id} />)),
  );
  await service.send(1, ...TODOS_LINES);
  await until('the rows', async () => (await app.db.getAll('SELECT id FROM todos')).length === 2);
  await shows('T1:synced T2:synced ');
  await app.db.execute(`UPDATE todos SET title = 'Oat milk' WHERE id = 'T1'`);
  await shows('T1:pending T2:synced ');
  await until('it is uploaded', async () => (await app.db.getUploadQueueStats()).count === 0);
  await shows('T1:pending T2:synced ');
  await service.send(1, ...afterWrites(1));
  await shows('T1:synced T2:synced ');
});

test('writes that the backend refused are listed, newest first, and show at their rows', async () => {
  function Rejected() {
    const letters = useRejectedWrites();
    return letters?.map(({ entry, reason }) => `${entry.op} ${entry.id} ${reason}`).join() ?? null;
  }
  const view = page.render(app.within([<RowState key="1" id="a" />, <Rejected key="2" />]));
  await view.shows('a:synced ');
  await app.db.execute(`INSERT INTO todos (id, title) VALUES ('a', 'A'), ('b', 'B')`);
  await app.db.execute(`DELETE FROM todos WHERE id = 'b'`);
  const batch = await app.db.getCrudBatch();
  const [a, b, deletion] = batch?.crud.map(({ clientId }) => clientId) ?? [];
  await batch?.settle([
    [a ?? 0, { kind: 'reject', reason: 'full' }],
    [b ?? 0, { kind: 'ok' }],
    [deletion ?? 0, { kind: 'reject', reason: 'not yours' }],
  ]);
  await view.shows('a:rejected DELETE b not yours,PUT a full');
  await app.db.deadLetters.discard(a ?? 0);
  await view.shows('a:pending DELETE b not yours');
});

test('a mutation writes all or nothing, and tells how it went', async () => {
  const log: string[] = [];
  function Add() {
    const add = useMutation(async (tx, titles: readonly string[]) => {
      for (const title of titles) {
        await tx.execute('INSERT INTO todos (id, title) VALUES (?, ?)', [title, title]);
      }
      return titles.length;
    });
    const failed = add.error === null ? '' : ' failed';
    const text = `${add.data ?? 'nothing'}${add.isPending ? ' pending' : ''}${failed}`;
    if (log.at(-1) !== text) log.push(text);
    return (
      <>
        {text}
        <button className="two" onClick={() => add.mutate(['a', 'b'])} />
        <button className="twice" onClick={() => add.mutate(['c', 'a'])} />
        <button className="reset" onClick={add.reset} />
      </>
    );
  }
  const view = page.render(app.within(<Add />));
  await view.shows('nothing');
  view.click('.two');
  await view.shows('2');
  view.click('.twice');
  await view.shows('nothing failed');
  expect(await app.db.getAll('SELECT id FROM todos')).toEqual([{ id: 'a' }, { id: 'b' }]);
  view.click('.reset');
  await view.shows('nothing');
  expect(log).toEqual([
    'nothing',
    'nothing pending',
    '2',
    '2 pending',
    'nothing failed',
    'nothing',
  ]);
});

test('of calls that overlap, the last one tells the end', async () => {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  let call: (text: string) => Promise<string> = () => Promise.resolve('');
  function Calls() {
    const echo = useMutation(async (_, text: string) => {
      if (text === 'slow') await held;
      if (text === 'bad') throw new Error('bad');
      return text;
    });
    call = echo.mutateAsync;
    return `${echo.data ?? ''} ${echo.isPending} ${String(echo.error)}`;
  }
  const { shows } = page.render(app.within(<Calls />));
  await shows(' false null');
  const slow = call('slow');
  const last = call('last');
  await shows(' true null');
  release();
  expect(await Promise.all([slow, last])).toEqual(['slow', 'last']);
  await shows('last false null');
  await expect(call('bad')).rejects.toThrow('bad');
  await shows(' false Error: bad');
});
