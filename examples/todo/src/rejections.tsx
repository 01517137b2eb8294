import { useDatabase, useQuery } from '@sluice/client-react';
import type { RejectedWrite } from './schema.ts';

/** What the backend refused: the row is again as the server has it, and this says why. */
export function Rejections() {
  const database = useDatabase();
  const { data: rejected } = useQuery<RejectedWrite>(
    'SELECT * FROM rejected_writes ORDER BY created_at DESC LIMIT 5',
  );
  return (
    <aside className="rejections" aria-live="polite">
      {rejected.map(({ id, message }) => (
        <div key={id} role="alert">
          <strong>A change was refused</strong>
          <p>{message}</p>
          <button
            onClick={() => void database.execute('DELETE FROM rejected_writes WHERE id = ?', [id])}
          >
            Understood
          </button>
        </div>
      ))}
    </aside>
  );
}
