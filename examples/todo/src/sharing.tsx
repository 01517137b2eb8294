import { useDatabase, useQuery } from '@sluice/client-react';
import { Avatar } from './avatar.tsx';
import type { List, User } from './schema.ts';

const PEOPLE = `
  SELECT users.*, members.id AS member_id
    FROM users LEFT JOIN members ON members.user_id = users.id AND members.list_id = ?
   WHERE users.id <> ?
   ORDER BY users.name`;

/** Who else sees the list; its owner decides. */
export function Sharing({ list, isOwner }: { list: List; isOwner: boolean }) {
  const database = useDatabase();
  const { data: people } = useQuery<User & { member_id: string | null }>(PEOPLE, [
    list.id,
    list.owner_id,
  ]);

  async function share(userId: string, memberId: string | null) {
    if (memberId === null) {
      await database.execute('INSERT INTO members (id, list_id, user_id) VALUES (?, ?, ?)', [
        crypto.randomUUID(),
        list.id,
        userId,
      ]);
    } else {
      await database.execute('DELETE FROM members WHERE id = ?', [memberId]);
    }
  }

  const guests = people.filter((person) => person.member_id !== null);
  return (
    <details className="sharing">
      <summary>
        {guests.map(({ id, name }) => (
          <Avatar key={id} name={name ?? id} />
        ))}
        {isOwner ? 'Share' : 'Shared'}
      </summary>
      <ul>
        {people.map(({ id, name, member_id }) => (
          <li key={id}>
            <label>
              <input
                type="checkbox"
                checked={member_id !== null}
                disabled={!isOwner}
                onChange={() => void share(id, member_id)}
              />
              <Avatar name={name ?? id} /> {name}
            </label>
          </li>
        ))}
      </ul>
    </details>
  );
}
