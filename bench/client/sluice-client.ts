import { column, Schema, Table, type SluiceDatabase } from '@sluice/client';
import type { Access, BenchedClient, SqlInput, WatchedQuery } from './benched-client.ts';

const { text, integer, real } = column;

export const SLUICE_SCHEMA = new Schema({
  items: new Table(
    { list_id: text, title: text, note: text, done: integer, score: real },
    { indexes: { by_list: ['list_id'] } },
  ),
  padding: new Table({ body: text }, { localOnly: true }),
});

/** Our client. */
export class SluiceClient implements BenchedClient {
  readonly #db: SluiceDatabase;
  readonly #access: Access;

  constructor(db: SluiceDatabase, access: Access) {
    this.#db = db;
    this.#access = access;
  }

  async connect(): Promise<void> {
    await this.#db.connect({
      fetchCredentials: async () => this.#access,
      uploadData: async () => undefined,
    });
  }

  untilSynced(): Promise<void> {
    return this.#db.waitForFirstSync();
  }

  disconnect(): Promise<void> {
    return this.#db.disconnect();
  }

  rows(sql: string, parameters: readonly SqlInput[] = []): Promise<readonly unknown[]> {
    return this.#db.getAll(sql, parameters);
  }

  async write(sql: string, parameters: readonly SqlInput[] = []): Promise<void> {
    await this.#db.execute(sql, parameters);
  }

  async writeTransaction(sql: string, sets: readonly SqlInput[][]): Promise<void> {
    await this.#db.writeTransaction(async (transaction) => {
      for (const set of sets) await transaction.execute(sql, set);
    });
  }

  async writeBatch(sql: string, sets: readonly SqlInput[][]): Promise<void> {
    await this.#db.executeBatch(sql, sets);
  }

  watch({ sql, parameters, throttleMs, signal }: WatchedQuery, onCount: (n: number) => void): void {
    this.#db.watch(
      sql,
      parameters,
      { onResult: ({ array }) => onCount(Number(array[0]?.['n'])) },
      { signal, ...(throttleMs !== undefined && { throttleMs }) },
    );
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}
