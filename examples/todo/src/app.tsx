import { useState } from 'react';
import type { DatabaseConnector } from '@sluice/client-web';
import { Lists } from './lists.tsx';
import { Rejections } from './rejections.tsx';
import { SyncBar } from './sync-bar.tsx';
import { TodoList } from './todo-list.tsx';

export function App({ userId, connector }: { userId: string; connector: DatabaseConnector }) {
  const [listId, setListId] = useState<string>();
  return (
    <div className="app">
      <SyncBar userId={userId} connector={connector} />
      <Lists userId={userId} selected={listId} onSelect={setListId} />
      {listId === undefined ? (
        <main className="empty">Choose a list, or make one.</main>
      ) : (
        <TodoList key={listId} listId={listId} userId={userId} />
      )}
      <Rejections />
    </div>
  );
}
