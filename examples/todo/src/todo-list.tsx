import { useDatabase, useQuery } from '@sluice/client-react';
import { EditableText } from './editable-text.tsx';
import { NewItem } from './new-item.tsx';
import type { List, Todo } from './schema.ts';
import { Sharing } from './sharing.tsx';
import { TodoItem } from './todo-item.tsx';

export function TodoList({ listId, userId }: { listId: string; userId: string }) {
  const database = useDatabase();
  const { data: lists, isLoading } = useQuery<List>('SELECT * FROM lists WHERE id = ?', [listId]);
  const { data: todos } = useQuery<Todo>(
    'SELECT * FROM todos WHERE list_id = ? ORDER BY completed, position, created_at',
    [listId],
  );
  const list = lists[0];
  if (list === undefined) {
    return <main className="empty">{isLoading ? '' : 'This list is gone.'}</main>;
  }
  const isOwner = list.owner_id === userId;

  async function add(description: string) {
    await database.execute(
      `INSERT INTO todos (id, list_id, description, completed, position, created_at)
       VALUES (?, ?, ?, 0, (SELECT coalesce(min(position), 1) - 1 FROM todos WHERE list_id = ?), ?)`,
      [crypto.randomUUID(), listId, description, listId, new Date().toISOString()],
    );
  }

  return (
    <main>
      <div className="title">
        <EditableText
          text={list.name ?? ''}
          label="Name of the list"
          onChange={(name) =>
            database.execute('UPDATE lists SET name = ? WHERE id = ?', [name, listId])
          }
        />
        <Sharing list={list} isOwner={isOwner} />
        {isOwner && (
          <button
            className="quiet"
            onClick={() => void database.execute('DELETE FROM lists WHERE id = ?', [listId])}
          >
            Delete list
          </button>
        )}
      </div>
      <NewItem placeholder="What is to be done?" onAdd={add} />
      <ul className="todos">
        {todos.map((todo) => (
          <TodoItem key={todo.id} todo={todo} />
        ))}
      </ul>
      {todos.length === 0 && <p className="empty">Nothing to do.</p>}
    </main>
  );
}
