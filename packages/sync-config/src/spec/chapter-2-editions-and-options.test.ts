import { describe, expect, it } from 'vitest';
import { planOf, problems } from '../testing/check.ts';

// spec/sync-config.md 2.

const ON = {
  timestampsIso8601: true,
  versionedBucketIds: true,
  fixedJsonExtract: true,
  customPostgresTypes: true,
  timestampMaxPrecision: undefined,
};
const OFF = {
  ...ON,
  timestampsIso8601: false,
  versionedBucketIds: false,
  fixedJsonExtract: false,
  customPostgresTypes: false,
};

const bodyOf = (edition: number) => (edition >= 3 ? 'streams: {}' : 'bucket_definitions: {}');
const optionsOf = (config: string, edition: number) =>
  planOf(`${config}\n${bodyOf(edition)}`).options;

describe('the defaults of an edition', () => {
  it.each([
    ['', 1, OFF],
    ['config: { edition: 1 }', 1, OFF],
    ['config: { edition: 2 }', 2, ON],
    ['config: { edition: 3 }', 3, ON],
  ])('%j gives those of edition %i', (config, edition, expected) => {
    expect(optionsOf(config, edition)).toEqual(expected);
  });

  it.each([
    ['timestamps_iso8601', 'timestampsIso8601'],
    ['versioned_bucket_ids', 'versionedBucketIds'],
    ['fixed_json_extract', 'fixedJsonExtract'],
    ['custom_postgres_types', 'customPostgresTypes'],
  ])('%s overrides them in both directions', (key, option) => {
    expect(optionsOf(`config: { edition: 1, ${key}: true }`, 1)).toEqual({
      ...OFF,
      [option]: true,
    });
    expect(optionsOf(`config: { edition: 3, ${key}: false }`, 3)).toEqual({
      ...ON,
      [option]: false,
    });
  });

  it.each(['seconds', 'milliseconds', 'microseconds', 'nanoseconds'])(
    'timestamp_max_precision may be %s',
    (precision) => {
      const config = `config: { edition: 2, timestamp_max_precision: ${precision} }`;
      expect(optionsOf(config, 2)).toEqual({ ...ON, timestampMaxPrecision: precision });
    },
  );
});

describe('what is refused', () => {
  it.each([
    ['edition: 0', ['EDITION: 0']],
    ['edition: 99', ['EDITION: 99']],
    ['edition: 1.5', ['EDITION: 1.5']],
    ['edition: "2"', ['EDITION: "2"']],
    ['edition: latest', ['EDITION: latest']],
    ['edition: 2, timestamps_iso8601: 1', ['OPTION_VALUE: 1']],
    ['edition: 2, versioned_bucket_ids: "true"', ['OPTION_VALUE: "true"']],
    ['edition: 2, fixed_json_extract: no', ['OPTION_VALUE: no']],
    ['edition: 2, custom_postgres_types: null', ['OPTION_VALUE: null']],
    ['edition: 2, timestamp_max_precision: years', ['OPTION_VALUE: years']],
    ['edition: 2, timestamp_max_precision: 3', ['OPTION_VALUE: 3']],
    ['edition: 1, timestamp_max_precision: seconds', ['OPTION_DEPENDENCY: seconds']],
    [
      'edition: 2, timestamps_iso8601: false, timestamp_max_precision: seconds',
      ['OPTION_DEPENDENCY: seconds'],
    ],
    ['timestamps_iso8601: true, timestamp_max_precision: seconds', []],
    ['edition: 2, unstable_sqlite_expression_engine: true', ['OPTION_DEPENDENCY: true']],
    ['edition: 2, unstable_sqlite_expression_engine: false', []],
    ['edition: 2, storage_version: 2', []],
    ['edition: 2, storage_version: 3', ['STORAGE_VERSION: 3']],
    ['edition: 2, storage_version: 1', ['STORAGE_VERSION: 1']],
    ['edition: 2, storage_version: 4', ['STORAGE_VERSION: 4']],
    ['edition: 2, speed: 3', ['YAML_SCHEMA: speed']],
  ])('%s has %j', (config, expected) => {
    const found = problems(`config: { ${config} }\nbucket_definitions: {}`);
    expect(found.filter((problem) => !problem.endsWith('bucket_definitions'))).toEqual(expected);
  });

  it('only warns about the experimental storage version', () => {
    const plan = planOf('config: { storage_version: 3 }\nbucket_definitions: {}');
    expect(plan.options).toEqual(OFF);
  });

  it('needs fixed_json_extract for the SQLite engine', () => {
    const config = 'edition: 3, fixed_json_extract: false, unstable_sqlite_expression_engine: true';
    expect(problems(`config: { ${config} }\nstreams: {}`)).toEqual(['OPTION_DEPENDENCY: true']);
  });
});
