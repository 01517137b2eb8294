import { AppError } from '@sluice/base';
import type { SqliteRow } from '@sluice/model';
import { valueOptions } from '@sluice/replication';
import type { ChangeSource, PeekedRows, PeekRows, SourceTable } from '@sluice/source';
import type { SyncOptions } from '@sluice/sync-config';
import { didYouMean } from './did-you-mean.ts';
import { keyValues, type RowArgument } from './row-argument.ts';

export interface FoundRow {
  readonly table: SourceTable;
  readonly row: SqliteRow;
  /** Whether replication reads the table. */
  readonly isReplicated: boolean;
  /** More rows match than this one. */
  readonly hasMore: boolean;
  /** As one would name it, e.g. `lists/42`. */
  readonly name: string;
}

/**
 * Reads a row as replication would see it now.
 *
 * @throws AppError `CLI_NOT_FOUND` without such a table, column or row; `CLI_USAGE` for a key that
 * does not fit the table's.
 */
export async function findRow(
  source: ChangeSource,
  argument: RowArgument,
  options: SyncOptions,
): Promise<FoundRow> {
  const schema = argument.schema ?? source.defaultSchema;
  const at = { schema, name: argument.table, values: valueOptions(options) };
  const described = await source.peekRows({ ...at, limit: 0 });
  if (described === undefined) throw await noTable(source, schema, argument.table);
  const { table } = described;
  const where = conditions(argument, table);
  const peeked = await peek(source, { ...at, where, limit: 1 });
  const [row] = peeked?.rows ?? [];
  if (peeked === undefined || row === undefined) throw noRow(table, where);
  const { isReplicated, hasMore } = peeked;
  return { table: peeked.table, row, isReplicated, hasMore, name: rowName(table, row, where) };
}

/** A text that is no value of its column is a mistake of whoever typed it. */
async function peek(source: ChangeSource, request: PeekRows): Promise<PeekedRows | undefined> {
  try {
    return await source.peekRows(request);
  } catch (cause) {
    if (!(cause instanceof AppError) || cause.code !== 'SOURCE_QUERY_FAILED') throw cause;
    throw new AppError('CLI_USAGE', cause.message, {
      remedy: 'Give values as the columns hold them',
      cause,
    });
  }
}

function conditions({ by }: RowArgument, table: SourceTable): ReadonlyMap<string, string> {
  const names = table.columns.map(({ name }) => name);
  if (by.kind === 'key') {
    const keys = table.keyColumns.flatMap((index) => names[index] ?? []);
    return keyValues(by, table.name, keys);
  }
  const unknown = [...by.values.keys()].find((column) => !names.includes(column));
  if (unknown === undefined) return by.values;
  throw new AppError('CLI_NOT_FOUND', `The table ${table.name} has no column ${unknown}`, {
    remedy: didYouMean(unknown, names) ?? `Its columns are ${names.join(', ')}`,
  });
}

async function noTable(source: ChangeSource, schema: string, name: string): Promise<AppError> {
  const tables = await source.readSchema();
  const names = tables.map((table) =>
    table.schema === source.defaultSchema ? table.name : `${table.schema}.${table.name}`,
  );
  const shown = schema === source.defaultSchema ? name : `${schema}.${name}`;
  const remedy = didYouMean(shown, names) ?? `There are ${names.slice(0, 20).join(', ')}`;
  const message = `The database has no table ${shown} that this role may read`;
  return new AppError('CLI_NOT_FOUND', message, { remedy });
}

function noRow(table: SourceTable, where: ReadonlyMap<string, string>): AppError {
  const texts = [...where].map(([column, value]) => `${column} = '${value}'`);
  return new AppError('CLI_NOT_FOUND', `${table.name} has no row with ${texts.join(' and ')}`, {
    remedy: `Look for it by other columns: --row '${table.name}?column=value'`,
  });
}

/** By its key where it has one, else as it was asked for. */
function rowName(table: SourceTable, row: SqliteRow, where: ReadonlyMap<string, string>): string {
  const key = table.keyColumns.map((index) => String(row[index] ?? ''));
  if (key.length > 0) return `${table.name}/${key.join('/')}`;
  const texts = [...where].map(([column, value]) => `${column}=${value}`);
  return `${table.name}?${texts.join('&')}`;
}
