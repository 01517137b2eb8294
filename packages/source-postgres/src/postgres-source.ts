import { ConfigError, silentLogger, SourceError, systemClock } from '@sluice/base';
import type { SourcePosition, TablePattern, TableSchema } from '@sluice/model';
import type {
  ChangeSource,
  LogRetention,
  PeekedRows,
  PeekRows,
  QueryArgument,
  QueryResult,
  ReplicationOptions,
  SourceCheck,
  SourceReplication,
  TableFacts,
} from '@sluice/source';
import { readCheckContext, runChecks } from './checks/run-checks.ts';
import { QueryPool } from './connect/query-pool.ts';
import { runReadOnly } from './connect/read-only-query.ts';
import { connectionSettings } from './connect/settings.ts';
import { readLogHead, writeMark } from './log-head.ts';
import type { PostgresSourceOptions } from './options.ts';
import { PostgresReplication, type ReplicationContext } from './postgres-replication.ts';
import { readLogRetention } from './slots/log-retention.ts';
import { peekRows } from './snapshot/peek-rows.ts';
import { assertUsable } from './slots/slot-state.ts';
import { createSlot, dropSlot, listSlots, newSlotName, readSlot } from './slots/slots.ts';
import { describeTables } from './tables/describe-tables.ts';
import { missesChanges, requirePublication } from './tables/publication.ts';
import { readSchema } from './tables/read-schema.ts';
import { TypeCatalog } from './types/type-catalog.ts';
import { typeOptions } from './types/type-options.ts';

/**
 * A PostgreSQL database, version 14 or newer, as a change source: logical replication slots with
 * plugin pgoutput for changes, binary COPY for snapshots (spec/sync-config.md 20.1). Connects when it
 * is first used.
 *
 * @throws ConfigError `CONFIG_INVALID_VALUE` for options that cannot work.
 */
export function createPostgresSource(options: PostgresSourceOptions): ChangeSource {
  return new PostgresSource(options);
}

class PostgresSource implements ChangeSource {
  readonly defaultSchema = 'public';
  readonly #context: ReplicationContext;
  readonly #open = new Set<PostgresReplication>();
  readonly #stop = new AbortController();

  constructor(options: PostgresSourceOptions) {
    const logger = options.logger ?? silentLogger;
    this.#context = {
      pool: new QueryPool({
        settings: { ...connectionSettings(options), onReceived: options.onReceived },
        maxConnections: options.maxPoolSize ?? 8,
        queryTimeoutMs: options.queryTimeoutMs ?? 30_000,
        logger,
      }),
      types: new TypeCatalog(),
      publication: options.publicationName ?? 'powersync',
      slotNamePrefix: validPrefix(options.slotNamePrefix ?? 'powersync_'),
      snapshotTimeoutMs: options.snapshotTimeoutMs ?? 60_000,
      slotTimeoutMs: options.slotTimeoutMs ?? 600_000,
      streamTimeoutMs: options.streamTimeoutMs ?? 60_000,
      heartbeatIntervalMs: options.heartbeatIntervalMs ?? 60_000,
      clock: options.clock ?? systemClock,
      logger,
    };
  }

  check(patterns: readonly TablePattern[]): Promise<readonly SourceCheck[]> {
    const { pool, publication, slotNamePrefix } = this.#context;
    return runChecks(pool, { publication, slotNamePrefix, patterns });
  }

  readSchema(): Promise<readonly TableSchema[]> {
    return readSchema(this.#context.pool, this.#context.types);
  }

  async describeTables(patterns: readonly TablePattern[]): Promise<readonly TableFacts[]> {
    const { pool, publication, slotNamePrefix } = this.#context;
    return describeTables(await readCheckContext(pool, { publication, slotNamePrefix, patterns }));
  }

  logRetention(handle: string): Promise<LogRetention | undefined> {
    return readLogRetention(this.#context.pool, handle);
  }

  runQuery(sql: string, args: readonly QueryArgument[]): Promise<QueryResult> {
    return runReadOnly(this.#context.pool, sql, args);
  }

  peekRows(request: PeekRows): Promise<PeekedRows | undefined> {
    return peekRows({ ...this.#context, signal: this.#stop.signal }, request);
  }

  head(): Promise<SourcePosition> {
    return readLogHead(this.#context.pool);
  }

  mark(): Promise<void> {
    return writeMark(this.#context.pool);
  }

  async openReplication(options: ReplicationOptions): Promise<SourceReplication> {
    this.#stop.signal.throwIfAborted();
    const context = { ...this.#context, types: new TypeCatalog(typeOptions(options.values)) };
    const replication =
      options.handle === undefined
        ? await this.#create(context, options)
        : await this.#adopt(context, options.handle);
    this.#open.add(replication);
    return replication;
  }

  async #create(
    context: ReplicationContext,
    { generationId, recordHandle }: ReplicationOptions,
  ): Promise<PostgresReplication> {
    const { pool, publication, slotNamePrefix, slotTimeoutMs: timeoutMs } = context;
    // A slot older than its publication would never get over the changes in between.
    await requirePublication(pool, publication);
    const name = newSlotName(slotNamePrefix, generationId);
    await recordHandle?.(name);
    const start = await createSlot(pool, name, { timeoutMs, signal: this.#stop.signal });
    return new PostgresReplication(context, name, start);
  }

  async #adopt(context: ReplicationContext, name: string): Promise<PostgresReplication> {
    const { pool } = context;
    try {
      await requirePublication(pool, context.publication);
    } catch (error) {
      // The slot cannot be trusted any more: once this is put right, all must be read again.
      if (missesChanges(error)) await dropSlot(pool, name, context.clock);
      throw error;
    }
    const slot = await readSlot(pool, name);
    assertUsable(name, slot, { database: pool.settings.database, after: '' });
    return new PostgresReplication(context, name, slot.confirmedFlush ?? '');
  }

  dropReplication(handle: string): Promise<void> {
    return dropSlot(this.#context.pool, handle, this.#context.clock);
  }

  listReplications(): Promise<readonly string[]> {
    return listSlots(this.#context.pool, this.#context.slotNamePrefix);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new SourceError('SOURCE_CONNECTION_LOST', 'The source was closed'));
    await Promise.all([...this.#open].map((replication) => replication[Symbol.asyncDispose]()));
    this.#open.clear();
    await this.#context.pool[Symbol.asyncDispose]();
  }
}

function validPrefix(prefix: string): string {
  if (/^[a-z0-9_]{1,30}$/.test(prefix)) return prefix;
  throw new ConfigError(
    'CONFIG_INVALID_VALUE',
    `slot_name_prefix '${prefix}' may hold up to 30 lower-case letters, digits and underscores`,
  );
}
