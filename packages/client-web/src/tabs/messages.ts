import type { CompiledSchema, PlainError } from '@sluice/client';
import type { StorageKind } from '../storage/stored-database.ts';

/** A tab wants to be served. */
export interface Join {
  readonly kind: 'join';
  readonly leader: string;
  readonly tab: string;
  /** When its database was opened (ms since 1970): of several schemas the one opened last is in force. */
  readonly openedAt: number;
  readonly schema: CompiledSchema;
}

/** What all tabs and their workers hear. */
export type ControlMessage =
  /** Who leads is to say so. */
  | { readonly kind: 'who' }
  | { readonly kind: 'leads'; readonly leader: string; readonly storage: StorageKind }
  | Join
  /** The network is back, or a page is in front: what waits tries at once. */
  | { readonly kind: 'hint' };

/** From a page to its worker. */
export type ToWorker =
  | {
      readonly kind: 'start';
      readonly worker: string;
      readonly database: string;
      readonly openedAt: number;
      readonly schema: CompiledSchema;
      readonly wasmUrl: string | undefined;
      readonly cacheBytes: number | undefined;
    }
  /** The page's own way, instead of a channel that passes through the browser. */
  | { readonly kind: 'join'; readonly join: Join; readonly port: MessagePort }
  /** It answers `awake`. */
  | { readonly kind: 'ping' }
  /** Close what there is, answer `ended`, and expect to be terminated. */
  | { readonly kind: 'end' };

/** From a worker to its page. */
export type FromWorker =
  /** It holds its lock. */
  | { readonly kind: 'started' }
  | { readonly kind: 'awake' }
  | { readonly kind: 'problem'; readonly error: PlainError }
  /** It could not open the database, and does not lead. */
  | { readonly kind: 'failed'; readonly error: PlainError }
  | { readonly kind: 'ended' };
