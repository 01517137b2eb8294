import type { SyncOptions } from '../contract.ts';
import { CONFIG_KEYS, EDITIONS, type KeyRule } from './config-keys.ts';
import type { Fields, YamlEntry, YamlReader } from './yaml-reader.ts';

const PRECISIONS = CONFIG_KEYS.timestamp_max_precision.value.options;

export interface ReadOptions {
  readonly options: SyncOptions;
  /** Whether expressions have SQLite's meaning. */
  readonly sqliteExpressions: boolean;
}

/** Reads `config.edition`; undefined when it is there and cannot be understood. */
export function readEdition(reader: YamlReader, entry: YamlEntry | undefined): number | undefined {
  if (entry === undefined) return CONFIG_KEYS.edition.default;
  return reader.choice(entry, EDITIONS, 'EDITION');
}

/** Reads the options of `config`. Source: spec/sync-config.md 2. */
export function readOptions(reader: YamlReader, fields: Fields, edition: number): ReadOptions {
  const flag = (
    key:
      | 'timestamps_iso8601'
      | 'versioned_bucket_ids'
      | 'fixed_json_extract'
      | 'custom_postgres_types',
  ) => {
    const { onFromEdition } = CONFIG_KEYS[key] satisfies KeyRule;
    const entry = fields.get(key);
    const byDefault = edition >= onFromEdition;
    return entry === undefined ? byDefault : reader.boolean(entry, byDefault, 'OPTION_VALUE');
  };
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
  return { options, sqliteExpressions };
}

function readPrecision(
  reader: YamlReader,
  fields: Fields,
  isIso: boolean,
): SyncOptions['timestampMaxPrecision'] {
  const entry = fields.get('timestamp_max_precision');
  if (entry === undefined) return undefined;
  const precision = reader.choice(entry, PRECISIONS, 'OPTION_VALUE');
  if (precision !== undefined && !isIso) {
    const span = reader.span(entry.value, entry.keySpan);
    const message = 'timestamp_max_precision has no effect without timestamps_iso8601';
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
  const isOn =
    entry === undefined ? edition >= 4 : reader.boolean(entry, edition >= 4, 'OPTION_VALUE');
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
  const { options } = CONFIG_KEYS.storage_version.value;
  if (reader.choice(entry, options, 'STORAGE_VERSION') !== 3) return;
  const span = reader.span(entry.value, entry.keySpan);
  const message = 'storage_version 3 is experimental; it has no effect here';
  reader.diagnostics.warn('STORAGE_VERSION', span, message, 'Remove it');
}
