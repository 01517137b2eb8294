import { useDatabase, useQuery, useStatus } from '@sluice/client-react';
import { NewItem } from './new-item.tsx';
import type { List } from './schema.ts';

const MY_LISTS = `
  SELECT lists.*,
         (SELECT count(*) FROM todos WHERE list_id = lists.id AND NOT completed) AS open,
         (SELECT count(*) FROM members WHERE list_id = lists.id AND user_id <> lists.owner_id) AS guests,
         (SELECT name FROM users WHERE id = lists.owner_id) AS owner
    FROM lists
   ORDER BY position, name`;

type ListRow = List & { open: number; guests: number; owner: string | null };

interface Props {
  userId: string;
  selected: string | undefined;
  onSelect: (listId: string) => void;
}

export function Lists({ userId, selected, onSelect }: Props) {
  const database = useDatabase();
  const { hasSynced } = useStatus();
  const { data: lists, isLoading } = useQuery<ListRow>(MY_LISTS);

  async function add(name: string) {
    const id = crypto.randomUUID();
    const first = lists[0]?.position ?? 0;
    await database.execute(
      'INSERT INTO lists (id, owner_id, name, position, created_at) VALUES (?, ?, ?, ?, ?)',
      [id, userId, name, first - 1, new Date().toISOString()],
    );
    onSelect(id);
  }

  return (
    <nav>
      <NewItem placeholder="New list" onAdd={add} />
      {!isLoading && lists.length === 0 && (
        <p className="empty">{hasSynced ? 'No lists yet.' : 'Your lists are on their way …'}</p>
      )}
      <ul>
        {lists.map((list) => (
          <li key={list.id}>
            <button
              className={list.id === selected ? 'selected' : ''}
              onClick={() => onSelect(list.id)}
            >
              <span className="name">{list.name}</span>
              <span className="shared">{sharedText(list, userId)}</span>
              <span className="count">{list.open}</span>
            </button>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function sharedText({ owner_id, owner, guests }: ListRow, userId: string): string {
  if (owner_id !== userId) return `by ${owner ?? owner_id}`;
  return guests > 0 ? 'shared' : '';
}
