import { useState } from 'react';
import { useDatabase, usePendingUploads, useQuery, useStatus } from '@sluice/client-react';
import type { DatabaseConnector } from '@sluice/client-web';
import { Avatar } from './avatar.tsx';
import type { User } from './schema.ts';

/** Who is signed in, how sync stands, and a switch to be offline. */
export function SyncBar({ userId, connector }: { userId: string; connector: DatabaseConnector }) {
  const database = useDatabase();
  const status = useStatus();
  const pending = usePendingUploads()?.count ?? 0;
  const [offline, setOffline] = useState(false);
  const { data: users } = useQuery<User>('SELECT * FROM users WHERE id = ?', [userId]);
  const name = users[0]?.name ?? userId;

  async function switchOffline(next: boolean) {
    setOffline(next);
    await (next ? database.disconnect() : database.connect(connector));
  }

  const progress = status.downloadProgress?.downloadedFraction;
  return (
    <header>
      <h1>Todo</h1>
      <SyncState offline={offline} />
      {pending > 0 && (
        <span className="waiting">
          {pending} {pending === 1 ? 'change waits' : 'changes wait'}
        </span>
      )}
      <label className="switch">
        <input
          type="checkbox"
          checked={offline}
          onChange={(event) => void switchOffline(event.target.checked)}
        />
        Offline
      </label>
      <a className="user" href="?" title="Sign in as somebody else">
        <Avatar name={name} /> {name}
      </a>
      {progress !== undefined && <progress value={progress} aria-label="Download" />}
    </header>
  );
}

function SyncState({ offline }: { offline: boolean }) {
  const status = useStatus();
  if (offline) return <span className="state offline">Offline</span>;
  if (!status.connected) {
    return (
      <span className="state trying" title={status.downloadError?.message}>
        Connecting …
      </span>
    );
  }
  if (!status.hasSynced || status.downloading) return <span className="state busy">Syncing …</span>;
  if (status.uploadError !== undefined) {
    return (
      <span className="state trying" title={status.uploadError.message}>
        Trying to send …
      </span>
    );
  }
  return <span className="state good">In step</span>;
}
