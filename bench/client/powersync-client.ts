import { column, Schema, Table, type CommonPowerSyncDatabase } from '@powersync/common';
import type { WatchedQuery } from './benched-client.ts';
import { DatabaseClient } from './database-client.ts';

const { text, integer, real } = column;

export const POWERSYNC_SCHEMA = new Schema({
  items: new Table(
    { list_id: text, title: text, note: text, done: integer, score: real },
    { indexes: { by_list: ['list_id'] } },
  ),
  padding: new Table({ body: text }, { localOnly: true }),
});

/** The official client, whose defaults are its newest sync implementation over HTTP. */
export class PowerSyncClient extends DatabaseClient<CommonPowerSyncDatabase> {
  override watch(
    { sql, parameters, throttleMs, signal }: WatchedQuery,
    onCount: (n: number) => void,
  ): void {
    this.db.watch(
      sql,
      parameters,
      {
        onResult: ({ rows }) => onCount(Number((rows?.item(0) as { n?: unknown } | undefined)?.n)),
      },
      { signal, ...(throttleMs !== undefined && { throttleMs }) },
    );
  }
}
