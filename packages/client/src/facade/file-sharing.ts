import type { WriterTurn } from '../database/writer-turn.ts';
import type { SqliteConnection, SqlValue } from '../driver/contract.ts';

/** What a platform brings for a file that other processes may have open too (spec/client.md 5.2). */
export interface FileSharing {
  /** The right to sync, which one process has at a time: how to give it back, or undefined while another one has it. It ends with the process. */
  readonly tryLead: () => (() => void) | undefined;
  /** Calls again and again, without keeping the process alive for that. Returns what ends it. */
  readonly repeat: (callback: () => void) => () => void;
}

/** The right to sync, for one process at a time. */
export class SyncLead {
  readonly #sharing: FileSharing | undefined;
  #giveBack: (() => void) | undefined;
  #stopWaiting: () => void = () => undefined;

  /** Without `sharing` nobody else has the file. */
  constructor(sharing: FileSharing | undefined) {
    this.#sharing = sharing;
  }

  /** Whether it is had now. */
  take(): boolean {
    if (this.#sharing === undefined) return true;
    this.#giveBack ??= this.#sharing.tryLead();
    return this.#giveBack !== undefined;
  }

  /** Calls whenever the other process may have given it back, until `stopWaiting`, `release` or another wait. */
  wait(callback: () => void): void {
    this.stopWaiting();
    this.#stopWaiting = this.#sharing?.repeat(callback) ?? this.#stopWaiting;
  }

  stopWaiting(): void {
    this.#stopWaiting();
    this.#stopWaiting = () => undefined;
  }

  release(): void {
    this.stopWaiting();
    this.#giveBack?.();
    this.#giveBack = undefined;
  }
}

export interface OtherWritersOptions {
  readonly connection: SqliteConnection;
  readonly sharing: FileSharing;
  readonly turn: WriterTurn;
  /** Others committed something; the tables of the database, in lower case. */
  readonly onWritten: (tables: readonly string[]) => void;
}

const TABLES = `SELECT lower(name) FROM sqlite_schema
  WHERE type IN ('table', 'view') AND name NOT LIKE 'sluice\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'`;

/** Notices what other processes commit to the file; which rows it concerned is not known. Returns what ends it. */
export function watchOtherWriters(options: OtherWritersOptions): () => void {
  const { connection, sharing, turn, onWritten } = options;
  let known = versionOf(connection);
  return sharing.repeat(() => {
    // The number stays the same while a transaction is open.
    if (!turn.isFree) return;
    const version = versionOf(connection);
    if (version === known) return;
    known = version;
    onWritten(
      connection
        .prepare(TABLES)
        .all()
        .map(([name]) => String(name)),
    );
  });
}

/** Of what others committed; this connection's own commits do not count. */
function versionOf(connection: SqliteConnection): SqlValue | undefined {
  return connection.prepare('PRAGMA data_version').get()?.[0];
}
