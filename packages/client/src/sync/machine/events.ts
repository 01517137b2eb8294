import type { DataLine, Line, StreamDescription } from '@sluice/protocol';
import type { ClientError } from '../../errors.ts';
import type { PublishScope } from '../sync-store.ts';

/** What happens to a session. Events of a stream carry its number; those of a former one are ignored. */
export type SyncEvent =
  /** The app connects, or connects anew with other options. */
  | { readonly kind: 'connect' }
  | { readonly kind: 'disconnect' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  /** The network is back, the page is visible, the app is in front again. */
  | { readonly kind: 'hint' }
  /** `none`: the app has none to give, as nobody is signed in. */
  | { readonly kind: 'credentials'; readonly outcome: 'fetched' | 'none' }
  | { readonly kind: 'credentialsFailed'; readonly error: ClientError }
  | { readonly kind: 'opened'; readonly stream: number }
  | { readonly kind: 'line'; readonly stream: number; readonly line: Line }
  /** The service showed that it is there without saying anything: the answer to a WebSocket's keepalive. */
  | { readonly kind: 'alive'; readonly stream: number }
  | { readonly kind: 'ended'; readonly stream: number }
  /** `unauthorized`: the service refused the token. */
  | {
      readonly kind: 'failed';
      readonly stream: number;
      readonly error: ClientError;
      readonly unauthorized: boolean;
    }
  /** What came of a `complete` or `publish`. */
  | { readonly kind: 'completed'; readonly scope: PublishScope; readonly outcome: Outcome }
  /** What the request says of subscriptions is no longer what was asked for. */
  | { readonly kind: 'subscriptionsChanged' }
  /** Everything is uploaded, and the write checkpoint for it is noted. */
  | { readonly kind: 'uploadsAcknowledged' }
  | { readonly kind: 'timer'; readonly timer: TimerName };

export type Outcome =
  | { readonly kind: 'published' }
  /** Local writes wait to be acknowledged. */
  | { readonly kind: 'closed' }
  /** These buckets did not add up and were dropped. */
  | { readonly kind: 'mismatch'; readonly buckets: readonly string[] };

export type TimerName = 'retry' | 'idle';

/** What is to be done, in this order. */
export type SyncAction =
  /** `fresh`: not those that were used before. */
  | { readonly kind: 'fetchCredentials'; readonly fresh: boolean }
  /** Those in use are no longer good. */
  | { readonly kind: 'dropCredentials' }
  /** With a request made from the store's positions and the subscriptions of this moment. */
  | { readonly kind: 'openStream'; readonly stream: number }
  | { readonly kind: 'closeStream' }
  | { readonly kind: 'ingest'; readonly line: DataLine }
  | { readonly kind: 'retain'; readonly buckets: ReadonlySet<string> }
  | { readonly kind: 'remove'; readonly buckets: readonly string[] }
  /** Validate, then publish; answered by `completed`. */
  | { readonly kind: 'complete'; readonly scope: PublishScope }
  /** Publish what was validated before; answered by `completed`. */
  | { readonly kind: 'publish'; readonly scope: PublishScope }
  | { readonly kind: 'noteStreams'; readonly streams: readonly StreamDescription[] }
  /** Extend what live handles subscribe to; may be answered by `subscriptionsChanged`. */
  | { readonly kind: 'renewSubscriptions' }
  | { readonly kind: 'upload' }
  | { readonly kind: 'startTimer'; readonly timer: TimerName; readonly ms: number }
  | { readonly kind: 'stopTimer'; readonly timer: TimerName };
