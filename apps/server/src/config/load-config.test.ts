import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigFileError } from './config-problem.ts';
import { loadServiceConfig, parseConfigText } from './load-config.ts';

/** Each problem as `line:column CODE key.path`, with the hint behind a `?`. */
function problemsOf(text: string, env: Record<string, string> = {}): string[] {
  try {
    parseConfigText({ name: 'sluice.yaml', text }, env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigFileError)) throw error;
    return error.problems.map(
      ({ line, column, code, keyPath, hint }) =>
        `${line}:${column} ${code} ${keyPath}${hint === undefined ? '' : ` ? ${hint}`}`,
    );
  }
}

const CONNECTION = `replication:
  connections:
    - type: postgresql
      uri: postgresql://me:secret@db.example/app?sslmode=disable
`;

describe('problems of a configuration file', () => {
  const table: readonly (readonly [string, string, readonly string[]])[] = [
    ['an empty file is accepted', '', []],
    ['a full connection is accepted', CONNECTION, []],
    ['broken YAML', 'port: [1', ['1:9 CONFIG_SYNTAX ']],
    ['very deep YAML', `a: ${'['.repeat(20_000)}`, ['1:103 CONFIG_SYNTAX ']],
    [
      'a list in itself',
      'api: { tokens: &a [*a] }',
      ['1:6 CONFIG_SYNTAX api', '1:20 CONFIG_INVALID_VALUE api.tokens[0]'],
    ],
    ['a key twice', 'port: 1\nport: 2\n', ['2:1 CONFIG_SYNTAX ']],
    [
      'a misspelt key',
      'api:\n  tokns: [a]\n',
      ['2:3 CONFIG_UNKNOWN_KEY api.tokns ? did you mean "tokens"?'],
    ],
    ['a key with nothing behind it', 'port:\n', []],
    [
      'rules of the write API that are left empty, which would open every table',
      `${CONNECTION}write_api:\n  tables:\n`,
      ['6:10 CONFIG_INVALID_VALUE write_api.tables ? give it a value, or leave the key out'],
    ],
    ['a text where a number belongs', 'port: eighty\n', ['1:7 CONFIG_INVALID_VALUE port']],
    ['a number out of range', 'port: 70000\n', ['1:7 CONFIG_INVALID_VALUE port']],
    [
      'a number where text belongs',
      'host: 1\n',
      ['1:7 CONFIG_INVALID_VALUE host ? put it in quotes'],
    ],
    [
      'another store',
      'storage:\n  type: mongodb\n  uri: x\n',
      ['2:9 CONFIG_INVALID_VALUE storage.type'],
    ],
    [
      'another source',
      'replication:\n  connections:\n    - type: mysql\n      server_id: 2\n',
      ['3:13 CONFIG_INVALID_VALUE replication.connections[0].type'],
    ],
    [
      'two sources',
      'replication:\n  connections:\n    - {type: postgresql, uri: "postgresql://a:b@c/d"}\n' +
        '    - {type: postgresql, uri: "postgresql://a:b@c/d"}\n',
      ['3:5 CONFIG_INVALID_VALUE replication.connections'],
    ],
    [
      'a connection without its parts',
      'replication:\n  connections:\n    - type: postgresql\n      uri: postgresql://h/d\n',
      [
        '3:7 CONFIG_INVALID_VALUE replication.connections[0].username ? give it here or in uri',
        '3:7 CONFIG_INVALID_VALUE replication.connections[0].password ? give it here or in uri',
      ],
    ],
    [
      'verify-ca without a certificate',
      `${CONNECTION}      sslmode: verify-ca\n`,
      ['3:7 CONFIG_INVALID_VALUE replication.connections[0].cacert'],
    ],
    [
      'both names of the sync config section',
      'sync_config: {content: a}\nsync_rules: {content: b}\n',
      ['2:13 CONFIG_INVALID_VALUE sync_rules ? sync_rules is its older name'],
    ],
    [
      'path and content',
      'sync_config:\n  path: a\n  content: b\n',
      ['3:12 CONFIG_INVALID_VALUE sync_config.content ? give one of the two'],
    ],
    [
      'an RSA key without kid, an oct key without alg',
      'client_auth:\n  jwks:\n    keys:\n      - {kty: RSA, n: a, e: AQAB}\n      - {kty: oct, k: YQ}\n',
      [
        '4:9 CONFIG_INVALID_VALUE client_auth.jwks.keys[0].kid',
        '5:9 CONFIG_INVALID_VALUE client_auth.jwks.keys[1].alg',
      ],
    ],
    [
      'a JWKS URI that cannot be fetched',
      'client_auth:\n  jwks_uri: [ftp://a/b]\n  jwks_reject_ip_ranges: [10.0.0.0/40]\n',
      [
        '2:14 CONFIG_INVALID_VALUE client_auth.jwks_uri[0]',
        '3:27 CONFIG_INVALID_VALUE client_auth.jwks_reject_ip_ranges[0] ? e.g. 10.0.0.0/8, or local',
      ],
    ],
    [
      'environment variables',
      'port: !env PS_PORT::number\nhost: !env HOME\napi: {tokens: [!env PS_NONE]}\n',
      [
        '1:12 CONFIG_INVALID_VALUE port',
        '2:12 CONFIG_ENV_FORBIDDEN host',
        '3:21 CONFIG_ENV_MISSING api.tokens[0]',
      ],
    ],
    [
      'all problems at once, in the order of the file',
      'prot: 1\nport: x\nsystem: {logging: {level: inof}}\n',
      [
        '1:1 CONFIG_UNKNOWN_KEY prot ? did you mean "port"?',
        '2:7 CONFIG_INVALID_VALUE port',
        '3:27 CONFIG_INVALID_VALUE system.logging.level ? did you mean "info"?',
      ],
    ],
  ];
  for (const [title, text, expected] of table) {
    it(title, () => expect(problemsOf(text, { PS_PORT: 'abc' })).toEqual(expected));
  }

  it('are printed with their source line, without secrets', () => {
    const text = 'client_auth:\n  supabase_jwt_secret: 12345\n';
    expect(() => parseConfigText({ name: 'sluice.yaml', text }, {})).toThrow(
      'sluice.yaml has 1 problem\n\n' +
        'sluice.yaml:2:24 CONFIG_INVALID_VALUE client_auth.supabase_jwt_secret: ' +
        'expected text, found a number (put it in quotes)\n' +
        '  2 |   supabase_jwt_secret: …\n' +
        '    |                        ^',
    );
  });
});

describe('loading', () => {
  let dir = '';
  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'sluice-config-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('fills in the defaults of the reference', async () => {
    await writeFile(path.join(dir, 'sluice.yaml'), CONNECTION);
    const config = await loadServiceConfig({ env: {}, cwd: dir });
    expect(config).toMatchObject({
      port: 8080,
      source: {
        hostname: 'db.example',
        port: 5432,
        sslMode: 'disable',
        slotNamePrefix: 'powersync_',
      },
      storage: {
        type: 'sqlite',
        path: path.join(dir, 'sluice-data/buckets.db'),
        compactEverySeconds: 60,
      },
      api: { maxConcurrentConnections: 200, maxBucketsPerConnection: 1000, tokens: [] },
      clientAuth: { audience: [], keys: [] },
      probes: { http: true },
      syncConfig: undefined,
    });
  });

  it('prefers base64 text to a path to the files by name', async () => {
    await writeFile(path.join(dir, 'powersync.yaml'), 'port: 1');
    await writeFile(path.join(dir, 'other.json'), '{"port": 2}');
    const port = async (env: Record<string, string>) =>
      (await loadServiceConfig({ env, cwd: dir })).port;
    const named = { POWERSYNC_CONFIG_PATH: 'other.json' };
    expect(await port({})).toBe(1);
    expect(await port(named)).toBe(2);
    const base64 = Buffer.from('port: 3').toString('base64');
    expect(await port({ ...named, POWERSYNC_CONFIG_B64: base64 })).toBe(3);
  });

  it('reads the sync config beside the file, unless the environment overrides it', async () => {
    await writeFile(path.join(dir, 'sluice.yaml'), 'sync_config: {path: sync.yaml}');
    await writeFile(path.join(dir, 'sync.yaml'), 'streams: {}');
    const read = async (env: Record<string, string>) =>
      (await loadServiceConfig({ env, cwd: dir })).syncConfig;
    expect(await read({})).toEqual({
      text: 'streams: {}',
      path: path.join(dir, 'sync.yaml'),
      exitOnError: true,
    });
    const other = Buffer.from('streams: {a: 1}').toString('base64');
    expect(await read({ POWERSYNC_SYNC_CONFIG_B64: other })).toMatchObject({
      text: 'streams: {a: 1}',
    });
  });

  it('says which names it looked for', async () => {
    await expect(loadServiceConfig({ env: {}, cwd: dir })).rejects.toMatchObject({
      code: 'CONFIG_FILE_MISSING',
      message: 'There is no file sluice.yaml or sluice.yml or powersync.yaml',
    });
  });

  it('turns off the probes that a probes section does not name', async () => {
    await writeFile(path.join(dir, 'sluice.yaml'), 'healthcheck: {probes: {use_filesystem: true}}');
    const config = await loadServiceConfig({ env: {}, cwd: dir });
    expect(config.probes).toEqual({ http: false, filesystem: true });
  });
});

it('a name with nothing behind it is a table that may be written, or a user', () => {
  const text = `${CONNECTION}write_api:\n  tables:\n    notes:\n  sign_in:\n    users:\n      ann:\n`;
  const { write_api: section } = parseConfigText({ name: 'sluice.yaml', text }, {});
  expect(section).toMatchObject({ tables: { notes: null }, sign_in: { users: { ann: null } } });
});
