import type { SyncOptions } from '../contract.ts';
import { CONFIG_KEYS, EDITIONS, type KeyRule } from './config-keys.ts';
import type { Fields, YamlEntry, YamlReader } from './yaml-reader.ts';

const PRECISIONS = CONFIG_KEYS.timestamp_max_precision.value.options;

/** Reads `config.edition`; undefined when it is there and cannot be understood. */
export function readEdition(reader: YamlReader, entry: YamlEntry | undefined): number | undefined {
  if (entry === undefined) return CONFIG_KEYS.edition.default;
  return reader.choice(entry, EDITIONS, 'EDITION');
}

/** Reads the options of `config`. Source: spec/sync-config.md 2. */
export function readOptions(reader: YamlReader, fields: Fields, edition: number): SyncOptions {
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
  checkSqliteEngine(reader, fields, edition, options.fixedJsonExtract);
  checkStorageVersion(reader, fields.get('storage_version'));
  return options;
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
    reader.diagnostics.error('OPTION_DEPENDENCY', span, message, 'Remove it');
    return;
  }
  const message = 'unstable_sqlite_expression_engine is not supported yet';
  reader.diagnostics.error('OPTION_VALUE', span, message, 'Remove it');
}

function checkStorageVersion(reader: YamlReader, entry: YamlEntry | undefined): void {
  if (entry === undefined) return;
  const { options } = CONFIG_KEYS.storage_version.value;
  if (reader.choice(entry, options, 'STORAGE_VERSION') !== 3) return;
  const span = reader.span(entry.value, entry.keySpan);
  const message = 'storage_version 3 is experimental; it has no effect here';
  reader.diagnostics.warn('STORAGE_VERSION', span, message, 'Remove it');
}
