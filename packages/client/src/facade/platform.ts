import type { ClientClock } from '../clock.ts';
import type { SqliteConnection } from '../driver/contract.ts';
import type { Fetch } from '../sync/transport/transport.ts';
import type { WebSocketLike } from '../sync/transport/websocket-transport.ts';
import type { UploadLock } from '../upload/upload-lock.ts';
import type { CallContext } from './call-context.ts';
import type { FileSharing } from './file-sharing.ts';

/** What a database needs of the platform on which it runs. */
export interface Platform {
  /** A new connection that may write; called once. */
  readonly openWriter: () => SqliteConnection;
  /** A new connection to the same database that only reads, and sees what was committed. */
  readonly openReader: () => SqliteConnection;
  readonly clock: ClientClock;
  /** In [0, 1). */
  readonly random: () => number;
  /** A new UUID. */
  readonly newId: () => string;
  readonly fetch: Fetch;
  /** Undefined where the platform has no WebSocket. */
  readonly openSocket: ((url: string) => WebSocketLike) | undefined;
  readonly userAgent: string;
  readonly uploadLock: UploadLock;
  /** Left out where no other process has the file. */
  readonly sharing?: FileSharing | undefined;
  readonly callContext?: CallContext | undefined;
  /** What went wrong, or was lost in a change of schema, where no promise and no status tells it. */
  readonly onProblem: (problem: unknown) => void;
}
