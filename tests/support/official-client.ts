import path from 'node:path';
import {
  column,
  LogLevels,
  PowerSyncDatabase,
  Schema,
  SyncStreamConnectionMethod,
  Table,
  type PowerSyncBackendConnector,
} from '@powersync/node';
import { CLIENT_QUERIES } from './sample-world.ts';

const { text, integer, real } = column;

const SCHEMA = new Schema({
  lists: new Table({ name: text }),
  todos: new Table({
    list_id: text,
    title: text,
    done: integer,
    qty: integer,
    price: text,
    ratio: real,
    tags: text,
    meta: text,
  }),
  notes: new Table({ owner_id: text, body: text, stars: integer }),
  log_lines: new Table({ line: text, user_id: text }),
  catalog: new Table({ sku: text, region: text, name: text }),
});

/** One entry of the client's upload queue. */
export interface Upload {
  readonly op: string;
  readonly table: string;
  readonly id: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export type Transport = 'http' | 'websocket';

const CONNECTION_METHODS = {
  http: SyncStreamConnectionMethod.HTTP,
  websocket: SyncStreamConnectionMethod.WEB_SOCKET,
};

/** The official Node client, unchanged, with its log kept for inspection. */
export class OfficialClient implements AsyncDisposable {
  readonly db: PowerSyncDatabase;
  readonly log: string[] = [];
  readonly #connector: PowerSyncBackendConnector;
  readonly #transport: Transport;

  constructor(options: {
    readonly transport?: Transport;
    readonly dir: string;
    readonly name: string;
    readonly endpoint: string;
    readonly token: () => string;
    readonly upload: (uploads: readonly Upload[]) => Promise<void>;
  }) {
    this.db = new PowerSyncDatabase({
      schema: SCHEMA,
      database: { dbFilename: path.join(options.dir, `${options.name}.sqlite`) },
      logger: {
        log: ({ level, message, error }) => {
          if (level >= LogLevels.info) this.log.push(`${message} ${describe(error)}`);
        },
      },
    });
    this.#transport = options.transport ?? 'http';
    this.#connector = {
      fetchCredentials: async () => ({ endpoint: options.endpoint, token: options.token() }),
      uploadData: async (database) => {
        const transaction = await database.getNextCrudTransaction();
        if (transaction === null) return;
        await options.upload(
          transaction.crud.map(({ op, table, id, opData }) => ({
            op,
            table,
            id,
            data: opData ?? {},
          })),
        );
        await transaction.complete();
      },
    };
  }

  /** Retries every 300 ms, as tests stop and start the service. */
  async connect(): Promise<void> {
    await this.db.connect(this.#connector, {
      connectionMethod: CONNECTION_METHODS[this.#transport],
      retryDelayMs: 300,
      crudUploadThrottleMs: 10,
    });
  }

  /** Rows of a client table, by id. */
  async rows(table: string): Promise<Record<string, unknown>[]> {
    const rows = await this.db.getAll<Record<string, unknown>>(
      `${CLIENT_QUERIES[table]} ORDER BY id`,
    );
    return rows.map((row) => ({ ...row }));
  }

  async queuedWrites(): Promise<number> {
    return (await this.db.getUploadQueueStats()).count;
  }

  /** The client logs "Checksums didn't match" when a checkpoint does not add up. */
  checksumFailures(): string[] {
    return this.log.filter((line) => /checksum/i.test(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.db.close();
  }
}

function describe(error: unknown): string {
  if (error === undefined) return '';
  return error instanceof Error ? `${error.name}: ${error.message}` : JSON.stringify(error);
}
