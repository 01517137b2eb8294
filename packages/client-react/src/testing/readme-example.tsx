import { column, rowOf, Schema, Table, type SluiceDatabase } from '@sluice/client';
import { Suspense } from 'react';
import {
  SluiceProvider,
  useMutation,
  usePendingUploads,
  useQuery,
  useRowSyncState,
  useStatus,
  useSuspenseQuery,
} from '../index.ts';

const todos = new Table({
  list_id: column.text,
  title: column.text.notNull(),
  done: column.boolean,
});
const lists = new Table({ name: column.text });
export const schema = new Schema({ todos, lists });

export function App({ database }: { readonly database: SluiceDatabase }) {
  return (
    <SluiceProvider database={database}>
      <Online />
      <Suspense fallback="Loading ...">
        <Lists />
      </Suspense>
    </SluiceProvider>
  );
}

function Online() {
  const connected = useStatus((status) => status.connected); // no render for each step of a download
  const waiting = usePendingUploads()?.count ?? 0;
  return <p>{`${connected ? 'online' : 'offline'}, ${waiting} to upload`}</p>;
}

function Lists() {
  const { data } = useSuspenseQuery({ sql: 'SELECT * FROM lists', mapper: rowOf(lists) });
  return data.map(({ id }) => <Todos key={id} list={id} />);
}

function Todos({ list }: { readonly list: string }) {
  // Live: runs again when what it reads has changed. Rows that have not changed are the same objects.
  const { data, isLoading, error } = useQuery(
    { sql: 'SELECT * FROM todos WHERE list_id = ? ORDER BY title', mapper: rowOf(todos) },
    [list],
    { streams: [{ name: 'todos', parameters: { list_id: list } }] }, // subscribed to while this is shown
  );
  const add = useMutation((tx, title: string) => {
    const sql = 'INSERT INTO todos (id, list_id, title) VALUES (?, ?, ?)';
    return tx.execute(sql, [crypto.randomUUID(), list, title]);
  });
  if (error instanceof Error) return <p>{error.message}</p>;
  if (isLoading) return <p>...</p>;
  return (
    <ul>
      {data.map(({ id, title, done }) => (
        <li key={id}>
          {done === true ? <s>{title}</s> : title} <SyncMark id={id} />
        </li>
      ))}
      <button disabled={add.isPending} onClick={() => add.mutate('Milk')}>
        Add
      </button>
    </ul>
  );
}

function SyncMark({ id }: { readonly id: string }) {
  return <small>{useRowSyncState('todos', id)}</small>; // synced, pending, rejected, parked
}
