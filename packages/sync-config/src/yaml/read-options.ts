import type { SyncOptions } from '../contract.ts';
import type { Span } from '../diagnostics.ts';
import type { YamlEntry, YamlReader } from './yaml-reader.ts';

const KEYS = [
  'edition', 'timestamps_iso8601', 'versioned_bucket_ids', 'fixed_json_extract',
  'custom_postgres_types', 'timestamp_max_precision', 'unstable_sqlite_expression_engine',
  'storage_version',
]; // prettier-ignore

const PRECISIONS = ['seconds', 'milliseconds', 'microseconds', 'nanoseconds'] as const;

type Fields = ReadonlyMap<string, YamlEntry>;

export interface ReadOptions {
  readonly edition: number;
  readonly sqliteExpressions: boolean;
  readonly options: SyncOptions;
}

/**
 * Reads `config`. An edition that does not exist is reported and read as `likelyEdition`.
 * Source: spec/sync-config.md 2.
 */
export function readOptions(
  reader: YamlReader,
  entry: YamlEntry | undefined,
  likelyEdition: number,
): ReadOptions {
  const at = entry?.keySpan ?? { start: 0, end: 0 };
  const fields: Fields =
    (entry && reader.fields(entry.value, 'config', KEYS, at)) ?? new Map<string, YamlEntry>();
  const edition = readEdition(reader, fields.get('edition'), likelyEdition);
  const flag = (key: string) => reader.boolean(fields.get(key), edition >= 2, 'OPTION_VALUE');
  const timestampsIso8601 = flag('timestamps_iso8601');
  const options: SyncOptions = {
    timestampsIso8601,
    versionedBucketIds: flag('versioned_bucket_ids'),
    fixedJsonExtract: flag('fixed_json_extract'),
    customPostgresTypes: flag('custom_postgres_types'),
    timestampMaxPrecision: readPrecision(reader, fields, timestampsIso8601),
  };
  const { fixedJsonExtract } = options;
  const sqliteExpressions = readSqliteEngine(reader, fields, edition, fixedJsonExtract);
  checkStorageVersion(reader, fields.get('storage_version'));
  return { edition, sqliteExpressions, options };
}

function readEdition(
  reader: YamlReader,
  entry: YamlEntry | undefined,
  likelyEdition: number,
): number {
  if (entry === undefined) return 1;
  const value = reader.scalar(entry.value);
  if (value === 1 || value === 2 || value === 3 || value === 4) return value;
  const span = reader.span(entry.value, entry.keySpan);
  reader.diagnostics.error('EDITION', span, 'The edition must be 1, 2, 3 or 4', 'Use edition: 3');
  return likelyEdition;
}

function readPrecision(
  reader: YamlReader,
  fields: Fields,
  isIso: boolean,
): SyncOptions['timestampMaxPrecision'] {
  const entry = fields.get('timestamp_max_precision');
  if (entry === undefined) return undefined;
  const span = reader.span(entry.value, entry.keySpan);
  const value = reader.scalar(entry.value);
  const precision = PRECISIONS.find((known) => known === value);
  if (precision === undefined) {
    const message = `timestamp_max_precision must be one of ${PRECISIONS.join(', ')}`;
    reader.diagnostics.error('OPTION_VALUE', span, message);
  } else if (!isIso) {
    const message = 'timestamp_max_precision needs timestamps_iso8601';
    const fix = 'Add timestamps_iso8601: true';
    reader.diagnostics.error('OPTION_DEPENDENCY', span, message, fix);
  }
  return precision;
}

/** Whether expressions have SQLite's meaning. Edition 4 has no other. */
function readSqliteEngine(
  reader: YamlReader,
  fields: Fields,
  edition: number,
  fixedJsonExtract: boolean,
): boolean {
  const entry = fields.get('unstable_sqlite_expression_engine');
  const isOn = reader.boolean(entry, edition >= 4, 'OPTION_VALUE');
  const refuse = (key: string, message: string, fix: string) => {
    const at = fields.get(key);
    const span = at === undefined ? { start: 0, end: 0 } : reader.span(at.value, at.keySpan);
    reader.diagnostics.error('OPTION_DEPENDENCY', span, message, fix);
  };
  if (edition >= 4) {
    const always = 'Edition 4 always has the semantics of SQLite';
    if (!isOn) refuse('unstable_sqlite_expression_engine', always, 'Use edition: 3');
    if (!fixedJsonExtract) refuse('fixed_json_extract', always, 'Use edition: 3');
    return true;
  }
  if (!isOn || (edition === 3 && fixedJsonExtract)) return isOn;
  const message = 'unstable_sqlite_expression_engine needs edition 3 with fixed_json_extract';
  refuse('unstable_sqlite_expression_engine', message, 'Remove it');
  return false;
}

function checkStorageVersion(reader: YamlReader, entry: YamlEntry | undefined): void {
  if (entry === undefined) return;
  const span: Span = reader.span(entry.value, entry.keySpan);
  const value = reader.scalar(entry.value);
  if (value === 3) {
    const message = 'storage_version 3 is experimental; it has no effect here';
    reader.diagnostics.warn('STORAGE_VERSION', span, message);
  } else if (value !== 2) {
    reader.diagnostics.error('STORAGE_VERSION', span, 'storage_version must be 2', 'Remove it');
  }
}
