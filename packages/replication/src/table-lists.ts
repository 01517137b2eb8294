import type { Clock } from '@sluice/base';
import type { SourcePosition, TablePattern } from '@sluice/model';
import type { ChangeSource, SourceReplication, SourceTable } from '@sluice/source';
import type { TableRegistry } from './table-registry.ts';

/** The tables as they were when the source stood at `head`. */
export interface TableList {
  readonly kind: 'tables';
  readonly found: readonly SourceTable[];
  /** The tables that were asked for; a list for others than are read now does not count. */
  readonly patterns: readonly TablePattern[];
  readonly head: SourcePosition;
}

export interface TableListsOptions {
  readonly source: Pick<ChangeSource, 'head' | 'mark'>;
  readonly replication: Pick<SourceReplication, 'listTables'>;
  readonly registry: TableRegistry;
  readonly clock: Clock;
  readonly pollMs: number;
}

/** With very many tables, listing them takes no more than this part of the source's time. */
const PAUSE_PER_LISTING = 20;

/**
 * Lists the tables now and then, for what no change announces: created, dropped and renamed tables,
 * and those added to or taken out of what is published. Gives a list only where it differs from the
 * registry.
 *
 * A list read before `head` alone could be older than changes at or before `head`, one read after it
 * newer than changes to come; so it is read on both sides and counts when nothing happened between.
 */
export async function* tableLists(
  options: TableListsOptions,
  signal: AbortSignal,
): AsyncGenerator<TableList> {
  const { source, replication, registry, clock, pollMs } = options;
  for (let tookMs = 0; ;) {
    await clock.sleep(Math.max(pollMs, tookMs * PAUSE_PER_LISTING), signal);
    const startedMs = clock.now();
    const { patterns } = registry;
    const before = await replication.listTables(patterns);
    tookMs = clock.now() - startedMs;
    if (!differs(before, registry)) continue;
    const head = await source.head();
    const found = await replication.listTables(patterns);
    if (JSON.stringify(found) !== JSON.stringify(before)) continue;
    await source.mark();
    yield { kind: 'tables', found, patterns, head };
  }
}

/** Whether a list of tables shows something that the change log has not announced (yet). */
function differs(found: readonly SourceTable[], registry: TableRegistry): boolean {
  if (registry.relationCount !== found.length) return true;
  return found.some((table) => registry.lacks(table));
}
