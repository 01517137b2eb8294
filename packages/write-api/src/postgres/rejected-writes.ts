import type { RejectedWritesConfig } from '../config/write-api-config.ts';
import type { Caller } from '../pipeline/row-write.ts';
import type { RejectedWrite } from '../pipeline/write-store.ts';
import { arrayOf } from './merged-statements.ts';
import { quoteName } from './sql-name.ts';
import type { Statement } from './statement-run.ts';

/** The table of refused writes, which a stream can sync back to whoever made them (spec/client.md 6.2). */
export class RejectedWritesTable {
  readonly #config: RejectedWritesConfig;
  readonly #name: string;
  readonly #schema: string;

  constructor(schema: string, config: RejectedWritesConfig) {
    this.#config = config;
    this.#schema = schema;
    this.#name = `${quoteName(schema)}.${quoteName(config.table)}`;
  }

  /** As the catalog calls it. */
  get tableName(): string {
    return this.#config.table;
  }

  get ddl(): readonly string[] {
    const index = quoteName(`${this.#config.table}_user_id`);
    return [
      `CREATE TABLE IF NOT EXISTS ${this.#name} (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        user_id text NOT NULL,
        client_id text,
        table_name text NOT NULL,
        row_id text NOT NULL,
        op text NOT NULL,
        code text NOT NULL,
        message text NOT NULL,
        data text,
        created_at timestamptz NOT NULL DEFAULT now())`,
      `CREATE INDEX IF NOT EXISTS ${index} ON ${this.#name} (user_id, created_at)`,
    ];
  }

  get schema(): string {
    return this.#schema;
  }

  /** Adds them, and drops the user's oldest ones beyond the bound. */
  record(rejected: readonly RejectedWrite[], caller: Caller): readonly Statement[] {
    const column = (text: (write: RejectedWrite) => string | null) => arrayOf(rejected.map(text));
    return [
      {
        text: `INSERT INTO ${this.#name} (user_id, client_id, table_name, row_id, op, code, message, data)
          SELECT $1, $2, * FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])`,
        values: [
          caller.userId,
          caller.clientId ?? null,
          column(({ table }) => withoutNul(table)),
          column(({ id }) => withoutNul(id)),
          column(({ op }) => withoutNul(op)),
          column(({ outcome }) => outcome.code),
          column(({ outcome }) => withoutNul(outcome.message)),
          column(({ data }) => dataText(data)),
        ],
      },
      {
        text: `DELETE FROM ${this.#name} WHERE id IN (SELECT id FROM ${this.#name} WHERE user_id = $1
          ORDER BY created_at DESC, id OFFSET $2)`,
        values: [caller.userId, String(this.#config.keptPerUser)],
      },
    ];
  }

  /** Removes one of the user's own. */
  dismiss(id: string, caller: Caller): Statement {
    const text = `DELETE FROM ${this.#name} WHERE id::text = $1 AND user_id = $2`;
    return { text, values: [id.toLowerCase(), caller.userId] };
  }

  /** Drops some of the old ones; repeat while it changes as many as `limit`. */
  prune(limit: number): Statement {
    return {
      text: `DELETE FROM ${this.#name} WHERE id IN (SELECT id FROM ${this.#name}
        WHERE created_at < now() - make_interval(days => $1) LIMIT $2)`,
      values: [String(this.#config.keptDays), String(limit)],
    };
  }
}

/** Texts of PostgreSQL cannot hold it, and what was refused may be refused for it. */
function withoutNul(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}

const MAX_DATA_LENGTH = 65_536;

/** Null for what is too much to be sent back. */
function dataText(data: unknown): string | null {
  const text = JSON.stringify(data) ?? null;
  return text === null || text.length > MAX_DATA_LENGTH ? null : withoutNul(text);
}
