import type { EventEmitter } from 'node:events';
import { until } from '@sluice/testing';
import pg from 'pg';

const SLOT = 'bench_limit';
const TIMEOUT_MS = 120_000;
/** "w" with data and "k" for keepalive both have a position of the log right behind their letter. */
const KEEPALIVE = 0x6b;

/** A slot beside the service's, for what the source's decoding alone takes over the same changes. */
export class DecodingLimit {
  readonly #sql: pg.Client;
  readonly #databaseUrl: string;

  constructor(sql: pg.Client, databaseUrl: string) {
    this.#sql = sql;
    this.#databaseUrl = databaseUrl;
  }

  /** Before the changes are made. */
  async open(): Promise<void> {
    await this.#sql.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [SLOT]);
  }

  /** Milliseconds to receive all that was changed since `open`, thrown away as it comes; closes the slot. */
  async drain(): Promise<number> {
    // A synced commit, so that all before it is in the log for others to read.
    await this.#sql.query(`SELECT pg_logical_emit_message(true, 'bench', 'end')`);
    const { rows } = await this.#sql.query<{ end: string }>(
      `SELECT (pg_current_wal_flush_lsn() - '0/0')::text AS end`,
    );
    const walsender = new pg.Client({
      connectionString: this.#databaseUrl,
      // Not in the types of pg, which hands the setting to the server.
      ...({ replication: 'database' } as object),
    });
    await walsender.connect();
    try {
      const startedAt = performance.now();
      await received(walsender, BigInt(rows[0]?.end ?? 0));
      return performance.now() - startedAt;
    } finally {
      await walsender.end();
      // The server takes a moment to notice that nobody reads the slot any more.
      await until('the slot is dropped', async () => (await this.#dropSlot()) === 1);
    }
  }

  async #dropSlot(): Promise<number | null> {
    const { rowCount } = await this.#sql.query(
      `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1 AND NOT active`,
      [SLOT],
    );
    return rowCount;
  }
}

function received(walsender: pg.Client, end: bigint): Promise<void> {
  // pg has no API for CopyBoth; its connection tells of each message.
  const { connection } = walsender as unknown as { readonly connection: EventEmitter };
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('Decoding did not end')), TIMEOUT_MS);
    connection.on('copyData', ({ chunk }: { readonly chunk: Buffer }) => {
      if (chunk[0] !== KEEPALIVE || chunk.readBigUInt64BE(1) < end) return;
      clearTimeout(timer);
      resolve();
    });
    const options = `(proto_version '1', publication_names 'powersync')`;
    walsender.query(`START_REPLICATION SLOT ${SLOT} LOGICAL 0/0 ${options}`).catch(reject);
  });
}
