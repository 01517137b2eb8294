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
  checkSqliteEngine(reader, fields, edition, options.fixedJsonExtract);
  checkStorageVersion(reader, fields.get('storage_version'));
  return { edition, options };
}

function readEdition(
  reader: YamlReader,
  entry: YamlEntry | undefined,
  likelyEdition: number,
): number {
  if (entry === undefined) return 1;
  const value = reader.scalar(entry.value);
  if (value === 1 || value === 2 || value === 3) return value;
  const span = reader.span(entry.value, entry.keySpan);
  reader.diagnostics.error('EDITION', span, 'The edition must be 1, 2 or 3', 'Use edition: 3');
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

function checkSqliteEngine(
  reader: YamlReader,
  fields: Fields,
  edition: number,
  fixedJsonExtract: boolean,
): void {
  const entry = fields.get('unstable_sqlite_expression_engine');
  if (entry === undefined || !reader.boolean(entry, false, 'OPTION_VALUE')) return;
  const span = reader.span(entry.value, entry.keySpan);
  if (edition < 3 || !fixedJsonExtract) {
    const message = 'unstable_sqlite_expression_engine needs edition 3 with fixed_json_extract';
    reader.diagnostics.error('OPTION_DEPENDENCY', span, message);
    return;
  }
  const message = 'unstable_sqlite_expression_engine is not supported yet';
  reader.diagnostics.error('OPTION_VALUE', span, message, 'Remove it');
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
