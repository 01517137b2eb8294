import type { Access, BenchedClient, SqlInput, WatchedQuery } from './benched-client.ts';

/** What both clients' databases have in common. */
export interface BenchedDatabase {
  connect(connector: {
    readonly fetchCredentials: () => Promise<Access>;
    readonly uploadData: () => Promise<undefined>;
  }): Promise<void>;
  waitForFirstSync(): Promise<void>;
  disconnect(): Promise<void>;
  getAll(sql: string, parameters: SqlInput[]): Promise<readonly unknown[]>;
  execute(sql: string, parameters: SqlInput[]): Promise<unknown>;
  executeBatch(sql: string, sets: SqlInput[][]): Promise<unknown>;
  writeTransaction(body: (transaction: BenchedTransaction) => Promise<void>): Promise<unknown>;
  close(): Promise<void>;
}

interface BenchedTransaction {
  execute(sql: string, parameters: SqlInput[]): Promise<unknown>;
}

/** A client by its database; how it is watched is each one's own. */
export abstract class DatabaseClient<Database extends BenchedDatabase> implements BenchedClient {
  protected readonly db: Database;
  readonly #access: Access;

  constructor(db: Database, access: Access) {
    this.db = db;
    this.#access = access;
  }

  abstract watch(query: WatchedQuery, onCount: (count: number) => void): void;

  async connect(): Promise<void> {
    await this.db.connect({
      fetchCredentials: async () => this.#access,
      uploadData: async () => undefined,
    });
  }

  untilSynced(): Promise<void> {
    return this.db.waitForFirstSync();
  }

  disconnect(): Promise<void> {
    return this.db.disconnect();
  }

  rows(sql: string, parameters: readonly SqlInput[] = []): Promise<readonly unknown[]> {
    return this.db.getAll(sql, [...parameters]);
  }

  async write(sql: string, parameters: readonly SqlInput[] = []): Promise<void> {
    await this.db.execute(sql, [...parameters]);
  }

  async writeTransaction(sql: string, sets: readonly SqlInput[][]): Promise<void> {
    await this.db.writeTransaction(async (transaction) => {
      for (const set of sets) await transaction.execute(sql, set);
    });
  }

  async writeBatch(sql: string, sets: readonly SqlInput[][]): Promise<void> {
    await this.db.executeBatch(sql, [...sets]);
  }

  async close(): Promise<void> {
    await this.db.close();
  }
}
