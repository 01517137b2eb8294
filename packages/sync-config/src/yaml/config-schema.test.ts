import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { compile, definition, stream } from '../testing/check.ts';
import { syncConfigJsonSchema } from './config-schema.ts';

const validate = new Ajv({ strictTypes: false, strictRequired: false }).compile(
  syncConfigJsonSchema(),
);

/** Whether the schema takes a file, beside whether the reader finds its shape right. */
function verdicts(yaml: string): { schema: boolean; reader: boolean } {
  const shape = [
    'YAML_SCHEMA',
    'EDITION',
    'PRIORITY',
    'OPTION_VALUE',
    'OPTION_DEPENDENCY',
    'STORAGE_VERSION',
  ];
  const faults = compile(yaml).diagnostics.filter(
    ({ code, severity }) => severity === 'error' && shape.includes(code),
  );
  return { schema: validate(parse(yaml)), reader: faults.length === 0 };
}

describe('the JSON Schema takes what the reader takes', () => {
  it.each([
    stream('SELECT * FROM t'),
    definition('SELECT * FROM t'),
    definition('SELECT * FROM t WHERE a = bucket.p', 'SELECT request.user_id() AS p', 2),
    'bucket_definitions: {}',
    'config: {}\nbucket_definitions: {}',
    'config: { edition: 1 }\nbucket_definitions: { a: { data: [] } }',
    'bucket_definitions: { a b/c: { data: [], parameters: [SELECT 1 AS a], priority: 0 } }',
    'bucket_definitions: {}\nevent_definitions: { e: { payloads: [] } }',
    'config: { edition: 2 }\nstreams: {}\nbucket_definitions: {}',
    'config: { edition: 2, timestamp_max_precision: seconds }\nbucket_definitions: {}',
    'config: { timestamps_iso8601: true, timestamp_max_precision: nanoseconds }\nbucket_definitions: {}',
    'config: { edition: 3, storage_version: 2, custom_postgres_types: false }\nstreams: {}',
    'config: { edition: 3 }\nwith: { a: SELECT b FROM t }\nstreams: {}',
    'config: { edition: 3 }\nstreams: { a: { query: SELECT 1, auto_subscribe: true, priority: 1, accept_potentially_dangerous_queries: true } }',
    'config: { edition: 3 }\nstreams: { a: { with: { c: SELECT 1 }, queries: [SELECT 1] } }',
  ])('%j', (yaml) => {
    expect(verdicts(yaml)).toEqual({ schema: true, reader: true });
  });
});

describe('the JSON Schema refuses what the reader refuses', () => {
  it.each([
    '- x',
    'config: {}',
    'foo: 1\nbucket_definitions: {}',
    'bucket_definitions: { a: }',
    'bucket_definitions: { a: {} }',
    'bucket_definitions: { a: { data: SELECT 1 } }',
    'bucket_definitions: { a: { data: [], parameters: [] } }',
    'bucket_definitions: { a: { data: [5] } }',
    'bucket_definitions: { a: { data: [], priority: 4 } }',
    'bucket_definitions: { a: { data: [], priority: "1" } }',
    'bucket_definitions: { a: { data: [], accept_potentially_dangerous_queries: yes } }',
    'bucket_definitions: { a: { data: [], query: SELECT 1 } }',
    'bucket_definitions: {}\nevent_definitions: { e: {} }',
    'bucket_definitions: {}\nwith: {}',
    'streams: {}',
    'config: { edition: 1 }\nstreams: {}',
    'config: { edition: 2 }\nstreams: { a: { queries: [SELECT 1] } }',
    'config: { edition: 2 }\nstreams: { a: { query: SELECT 1, with: {} } }',
    'config: { edition: 2 }\nbucket_definitions: {}\nwith: { a: SELECT 1 }',
    'config: { edition: 3 }\nbucket_definitions: {}',
    'config: { edition: 9 }\nstreams: {}',
    'config: { edition: "3" }\nstreams: {}',
    'config: { edition: 3 }\nstreams: { a: {} }',
    'config: { edition: 3 }\nstreams: { a: SELECT 1 }',
    'config: { edition: 3 }\nstreams: { a: { query: SELECT 1, queries: [] } }',
    'config: { edition: 3 }\nstreams: { a: { queries: SELECT 1 } }',
    'config: { edition: 3 }\nstreams: { a: { query: SELECT 1, auto_subscribe: 1 } }',
    'config: { edition: 3, timestamps_iso8601: 1 }\nstreams: {}',
    'config: { edition: 3, timestamp_max_precision: years }\nstreams: {}',
    'config: { edition: 3, timestamps_iso8601: false, timestamp_max_precision: seconds }\nstreams: {}',
    'config: { timestamp_max_precision: seconds }\nbucket_definitions: {}',
    'config: { edition: 2, unstable_sqlite_expression_engine: true }\nbucket_definitions: {}',
    'config: { edition: 3, unstable_sqlite_expression_engine: true, fixed_json_extract: false }\nstreams: {}',
    'config: { edition: 3, storage_version: 1 }\nstreams: {}',
    'config: { edition: 3, editions: 3 }\nstreams: {}',
  ])('%j', (yaml) => {
    expect(verdicts(yaml)).toEqual({ schema: false, reader: false });
  });

  it('and describes every key for completion', () => {
    const text = JSON.stringify(syncConfigJsonSchema());
    expect(text.match(/"description":""/)).toBeNull();
    expect(syncConfigJsonSchema()).toMatchObject({
      properties: {
        streams: {
          additionalProperties: {
            properties: { auto_subscribe: { type: 'boolean', default: false } },
          },
        },
      },
    });
  });
});
