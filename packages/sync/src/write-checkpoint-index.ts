import type { Checkpoint } from '@sluice/model';
import type { CheckpointDelta } from '@sluice/storage';
import type { Listener } from './bucket-index.ts';
import type { ConnectedUser } from './connected-users.ts';

/** What is new for write checkpoints. */
export type WriteCheckpointNews = Pick<CheckpointDelta, 'checkpoint' | 'lookups'>;

/**
 * The write checkpoints of connected users, where the service manages them
 * (`ManagedWriteCheckpoints`) or rows of the source make them (`CustomWriteCheckpoints`). Whom nothing
 * new concerns costs nothing.
 */
export interface WriteCheckpointIndex {
  join(key: string, listener: Listener, at: Checkpoint): ConnectedUser;
  leave(user: ConnectedUser, listener: Listener): void;
  /** Records of the store that the service manages have changed; `all` when it is not known which. */
  recordsChanged(keys: ReadonlySet<string> | 'all'): void;
  /**
   * Finds out whose write checkpoints are reached. The function it resolves with makes that known to
   * their sessions, and is to be called once the checkpoint is theirs too.
   */
  reachedAt(news: WriteCheckpointNews): Promise<() => void>;
}
