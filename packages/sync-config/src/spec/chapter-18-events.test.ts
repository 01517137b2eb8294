import type { SqliteRow, SqliteValue, TableSchema } from '@sluice/model';
import { describe, expect, it } from 'vitest';
import { planOf, problems } from '../testing/check.ts';

// spec/sync-config.md 18.

const events = (body: string, edition = 1) =>
  `config: { edition: ${edition} }\n${edition < 3 ? 'bucket_definitions' : 'streams'}: {}\nevent_definitions:\n  ${body}\n`;

const TABLE: TableSchema = {
  schema: 'public',
  name: 'checkpoints',
  columns: ['id', 'user_id', 'checkpoint', 'client', '_hidden', 'j'].map((name) => ({
    name,
    sqliteType: 'text',
    sourceType: 'text',
  })),
};
const ROW = ['1', 'u1', 7n, 'c1', 'h', '{"k":5}'];

function payloadsOf(yaml: string, row = ROW, table = TABLE) {
  const evaluated = planOf(yaml).eventEvaluator(table)?.evaluate(row);
  return evaluated?.events.map(({ event, payload }) => [event, Object.fromEntries(payload)]);
}

describe('payloads', () => {
  it('name the event and give the columns of a changed row', () => {
    const yaml = events(
      'write_checkpoints: { payloads: ["SELECT user_id, checkpoint, client AS client_id FROM checkpoints"] }',
    );
    expect(planOf(yaml).events).toEqual([
      {
        name: 'write_checkpoints',
        makesWriteCheckpoints: true,
        tables: [
          { schema: 'public', schemaIsPrefix: false, name: 'checkpoints', nameIsPrefix: false },
        ],
      },
    ]);
    expect(payloadsOf(yaml)).toEqual([
      ['write_checkpoints', { user_id: 'u1', checkpoint: 7n, client_id: 'c1' }],
    ]);
  });

  it.each([
    ['SELECT checkpoint + 1 AS n FROM checkpoints', { n: 8n }],
    ["SELECT j ->> 'k' AS k FROM checkpoints AS c", { k: 5n }],
    ['SELECT id FROM checkpoints WHERE checkpoint > 5', { id: '1' }],
    ['SELECT id FROM checkpoints WHERE checkpoint > 9', undefined],
    ['SELECT _hidden, id FROM "check%"', { _hidden: 'h', id: '1' }],
  ])('%s', (sql, payload) => {
    const yaml = events(`e: { payloads: [${JSON.stringify(sql)}] }`);
    expect(payloadsOf(yaml)).toEqual(payload === undefined ? [] : [['e', payload]]);
  });

  it('with * follow the edition', () => {
    const yaml = (edition: number) =>
      events('e: { payloads: [SELECT * FROM checkpoints] }', edition);
    const names = (edition: number) =>
      Object.keys((payloadsOf(yaml(edition))?.[0]?.[1] ?? {}) as object);
    expect(names(1)).toEqual(['id', 'user_id', 'checkpoint', 'client', 'j']);
    expect(names(3)).toEqual(['id', 'user_id', 'checkpoint', 'client', '_hidden', 'j']);
  });

  it('need no id, and may be of several events and tables', () => {
    const yaml = events(
      `a: { payloads: [SELECT user_id FROM checkpoints, SELECT x FROM other] }\n  b: { payloads: [SELECT client FROM checkpoints] }`,
    );
    expect(payloadsOf(yaml)).toEqual([
      ['a', { user_id: 'u1' }],
      ['b', { client: 'c1' }],
    ]);
    expect(planOf(yaml).eventEvaluator({ ...TABLE, name: 'elsewhere' })).toBeUndefined();
  });

  it('that fail on a row are reported and do not concern others', () => {
    const yaml = events(
      `bad: { payloads: ["SELECT j ->> 'k' AS k FROM checkpoints"] }\n  good: { payloads: [SELECT id FROM checkpoints] }`,
    );
    const row = [...ROW.slice(0, -1), '{'];
    expect(planOf(yaml).eventEvaluator(TABLE)?.evaluate(row)).toEqual({
      events: [{ event: 'good', payload: new Map([['id', '1']]) }],
      errors: [{ definition: 'bad', message: 'A text that should be JSON is not' }],
    });
  });

  it('sync nothing', () => {
    const plan = planOf(events('e: { payloads: [SELECT * FROM checkpoints] }'));
    expect(plan.tables).toEqual([]);
    expect(plan.definitions).toEqual([]);
    expect(plan.rowEvaluator(TABLE, new Map())).toBeUndefined();
  });
});

// spec/protocol.md 5.3
describe('write checkpoints', () => {
  const QUERY = 'SELECT user_id, checkpoint, client AS client_id FROM checkpoints';
  const planFor = (query: string, event = 'write_checkpoints', edition = 1) =>
    planOf(events(`${event}: { payloads: [${JSON.stringify(query)}] }`, edition));
  const made = (row: SqliteRow, query = QUERY) =>
    planFor(query).writeCheckpointEvaluator(TABLE)?.evaluate(row);
  const rowOf = (user: SqliteValue, checkpoint: SqliteValue, client: SqliteValue) =>
    ['1', user, checkpoint, client, 'h', '{}'] satisfies SqliteRow;

  it.each<[SqliteRow, user: string, value: bigint]>([
    [rowOf('u1', 7n, 'c1'), 'u1/c1', 7n],
    [rowOf('u1', 7n, null), 'u1', 7n],
    [rowOf('u1', 7n, ''), 'u1', 7n],
    [rowOf(5n, '9223372036854775807', 3n), '5/3', 2n ** 63n - 1n],
    [rowOf(1.5, 7, 'c1'), '1.5/c1', 7n],
  ])('are made of the row %s', (row, user, value) => {
    expect(made(row)).toEqual({ writeCheckpoints: [{ user, value }], errors: [] });
  });

  it.each<[SqliteRow, message: string | undefined]>([
    [rowOf('u1', null, 'c1'), undefined],
    [rowOf(null, 0n, 'c1'), undefined],
    [rowOf(null, 7n, 'c1'), 'user_id is NULL or a BLOB'],
    [rowOf('u1', -7n, 'c1'), 'checkpoint is no integer from 1 to 2^63-1'],
    [rowOf('u1', 1.5, 'c1'), 'checkpoint is no integer from 1 to 2^63-1'],
    [rowOf('u1', '9223372036854775808', 'c1'), 'checkpoint is no integer from 1 to 2^63-1'],
    [rowOf('u1', 'seven', 'c1'), 'checkpoint is no integer from 1 to 2^63-1'],
    [rowOf('u1', 7n, new Uint8Array(1)), 'client_id is a BLOB'],
  ])('are not made of the row %s', (row, message) => {
    const errors = message === undefined ? [] : [{ definition: 'write checkpoints', message }];
    expect(made(row)).toEqual({ writeCheckpoints: [], errors });
  });

  it('are not made where * leaves something out, which is said', () => {
    const table = { ...TABLE, columns: TABLE.columns.slice(2) };
    const evaluator = planFor('SELECT * FROM checkpoints').writeCheckpointEvaluator(table);
    expect(evaluator?.evaluate(ROW.slice(2)).errors).toEqual([
      {
        definition: 'write checkpoints',
        message: 'The payload of write_checkpoints has no user_id',
      },
    ]);
  });

  it('are a part of the config with a hash of its own, whatever else is in it', () => {
    const part = planFor(QUERY).writeCheckpoints;
    const [table] = planFor(QUERY).tables;
    expect(part).toMatchObject({ name: 'write checkpoints', tables: [table] });
    expect(planFor(QUERY).parts).toEqual([part]);
    expect(planFor(QUERY, 'checkpoint_requests').writeCheckpoints).toEqual(part);
    expect(planFor(`${QUERY} WHERE checkpoint > 3`).writeCheckpoints?.hash).not.toBe(part?.hash);
    const more = planOf(
      `bucket_definitions: { b: { data: [SELECT * FROM t] } }\nevent_definitions: { audit: { payloads: [SELECT a FROM u] }, write_checkpoints: { payloads: [${JSON.stringify(QUERY)}] } }\n`,
    );
    expect(more.writeCheckpoints).toEqual(part);
    expect(more.parts.map(({ name }) => name)).toEqual(['b', 'write checkpoints']);
  });

  it('are managed by the service where no payload can make one', () => {
    expect(planFor('SELECT checkpoint FROM checkpoints').writeCheckpoints).toBeUndefined();
    expect(planFor(QUERY, 'audit').writeCheckpoints).toBeUndefined();
    expect(planOf(events('write_checkpoints: { payloads: [] }')).writeCheckpoints).toBeUndefined();
  });

  it('are explained for a row, as other events are', () => {
    const explained = (row: SqliteRow, query = QUERY, event = 'write_checkpoints') =>
      planFor(query, event)
        .explainRow(TABLE, row, new Map())
        .events.map(({ result }) => result);
    const row = rowOf('u1', 7n, 'c1');
    expect(explained(row)).toEqual([{ kind: 'write checkpoint', user: 'u1/c1', value: '7' }]);
    expect(explained(rowOf('u1', null, 'c1'))).toEqual([
      { kind: 'no write checkpoint', message: 'checkpoint is NULL or 0' },
    ]);
    expect(explained(row, `${QUERY} WHERE checkpoint > 8`)).toMatchObject([
      { kind: 'left out', whyNot: [{ kind: 'filter', condition: { sql: 'checkpoint > 8' } }] },
    ]);
    expect(explained(row, QUERY, 'audit')).toEqual([{ kind: 'unused' }]);
  });
});

describe('what is refused', () => {
  it.each([
    ['e: []', ['YAML_SCHEMA: []']],
    ['e: {}', ['YAML_SCHEMA: e']],
    ['e: { payloads: SELECT a FROM t }', ['YAML_SCHEMA: SELECT a FROM t']],
    ['e: { payloads: [1] }', ['YAML_SCHEMA: 1']],
    ['e: { payloads: [], query: x }', ['YAML_SCHEMA: query']],
    ['e: { payloads: [] }', []],
    ['e: { payloads: [SELECT a FROM t, SELECT a FROM u] }', []],
    ['e: { payloads: [SELECT a FROM t, SELECT b FROM t] }', ['DUPLICATE_NAME: t']],
    ['e: { payloads: [SELECT a FROM t, \'SELECT b FROM "t%"\'] }', ['DUPLICATE_NAME: "t%"']],
    ['e: { payloads: [SELECT a FROM t, SELECT b FROM other.t] }', []],
    ['e: { payloads: ["SELECT t.a FROM t, u"] }', ['UNSUPPORTED_CLAUSE: u']],
    ['e: { payloads: ["SELECT a FROM (SELECT a FROM t) x"] }', ['UNSUPPORTED_CLAUSE: (SELECT a FROM t) x']],
    ['e: { payloads: ["SELECT value FROM json_each(\'[]\')"] }', ["UNSUPPORTED_CLAUSE: json_each('[]')"]],
    ['e: { payloads: [SELECT 1 AS a] }', ['NO_OUTPUT_TABLE: SELECT 1 AS a']],
    ['e: { payloads: [SELECT upper(a) FROM t] }', ['ALIAS_REQUIRED: upper(a)']],
    ['e: { payloads: [SELECT bucket.x FROM t] }', ['BUCKET_PARAM_IN_EXPR: bucket.x']],
    ['e: { payloads: [SELECT a FROM t WHERE b = bucket.x] }', ['BUCKET_PARAM_IN_EXPR: b = bucket.x']],
    ['e: { payloads: [SELECT request.user_id() AS a FROM t] }', ['REQUEST_IN_DATA: request.user_id()']],
    ['e: { payloads: [SELECT auth.user_id() AS a FROM t] }', ['REQUEST_IN_DATA: auth.user_id()']],
    ['e: { payloads: [SELECT a FROM t WHERE b IN (SELECT c FROM u)] }', ['SCALAR_SUBQUERY: b IN (SELECT c FROM u)']],
    ['write_checkpoints: { payloads: ["SELECT user_id, checkpoint, client_id FROM t"] }', []],
    ['write_checkpoints: { payloads: ["SELECT user_id, checkpoint FROM t"] }', ['EVENT_COLUMNS: SELECT user_id, checkpoint FROM t']],
    ['checkpoint_requests: { payloads: [SELECT user_id FROM t] }', ['EVENT_COLUMNS: SELECT user_id FROM t']],
    ['write_checkpoints: { payloads: [SELECT * FROM t] }', []],
    ['write_checkpoints: { payloads: [SELECT checkpoint FROM t] }', ['EVENT_COLUMNS: SELECT checkpoint FROM t']],
  ])('%s has %j', (body, expected) => {
    expect(problems(events(body))).toEqual(expected);
    expect(problems(events(body, 3))).toEqual(expected);
  }); // prettier-ignore
});
