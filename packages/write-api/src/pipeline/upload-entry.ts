import type { RowWrite } from './row-write.ts';
import type { WriteKey } from './write-store.ts';

/** An entry of an upload in its place. */
export interface UploadEntry {
  /** What it asks for; undefined when that cannot be understood. */
  readonly write: RowWrite | undefined;
  /** What is wrong with it, where `write` is undefined. */
  readonly problem: string | undefined;
  /** Undefined where the client, or the entry, has no name. */
  readonly key: WriteKey | undefined;
  /** As it was sent, for whoever looks at what was refused. */
  readonly sent: {
    readonly op: string;
    readonly table: string;
    readonly id: string;
    readonly data: unknown;
  };
}
