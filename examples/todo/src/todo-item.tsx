import { memo } from 'react';
import { useDatabase, useRowSyncState } from '@sluice/client-react';
import { EditableText } from './editable-text.tsx';
import type { Todo } from './schema.ts';

/** A row that did not change stays the same object, so that only what changed is drawn anew. */
export const TodoItem = memo(function TodoItem({ todo }: { todo: Todo }) {
  const database = useDatabase();
  const syncState = useRowSyncState('todos', todo.id);

  return (
    <li className={todo.completed ? 'completed' : ''}>
      <input
        type="checkbox"
        checked={todo.completed === 1}
        aria-label={`Done: ${todo.description ?? ''}`}
        onChange={(event) =>
          void database.execute('UPDATE todos SET completed = ? WHERE id = ?', [
            event.target.checked,
            todo.id,
          ])
        }
      />
      <EditableText
        text={todo.description ?? ''}
        label="What is to be done"
        onChange={(description) =>
          database.execute('UPDATE todos SET description = ? WHERE id = ?', [description, todo.id])
        }
      />
      {syncState === 'pending' && <span className="pending" title="Waits to be sent" />}
      <button
        className="delete"
        aria-label={`Delete: ${todo.description ?? ''}`}
        onClick={() => void database.execute('DELETE FROM todos WHERE id = ?', [todo.id])}
      >
        ×
      </button>
    </li>
  );
});
