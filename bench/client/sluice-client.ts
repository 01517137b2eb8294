import { column, Schema, Table, type SluiceDatabase } from '@sluice/client';
import type { WatchedQuery } from './benched-client.ts';
import { DatabaseClient } from './database-client.ts';

const { text, integer, real } = column;

export const SLUICE_SCHEMA = new Schema({
  items: new Table(
    { list_id: text, title: text, note: text, done: integer, score: real },
    { indexes: { by_list: ['list_id'] } },
  ),
  padding: new Table({ body: text }, { localOnly: true }),
});

/** Our client. */
export class SluiceClient extends DatabaseClient<SluiceDatabase> {
  override watch(
    { sql, parameters, throttleMs, signal }: WatchedQuery,
    onCount: (n: number) => void,
  ): void {
    this.db.watch(
      sql,
      parameters,
      { onResult: ({ array }) => onCount(Number(array[0]?.['n'])) },
      { signal, ...(throttleMs !== undefined && { throttleMs }) },
    );
  }
}
