import type { DatabaseAccess } from '../facade/database-access.ts';

/** Who reads for an app: the host's own readers, or connections on other threads beside it. */
export interface ReadAccess extends Pick<DatabaseAccess, 'select' | 'analyse' | 'readTransaction'> {
  /** Waits for nobody who reads. */
  close(): void | Promise<void>;
}
