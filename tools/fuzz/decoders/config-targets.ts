import { compileSyncConfig } from '@sluice/sync-config';
import { ConfigFileError } from '../../../apps/server/src/config/config-problem.ts';
import { parseConfigText } from '../../../apps/server/src/config/load-config.ts';
import { bytesOf, textOf, type DecoderTarget } from './target.ts';
import { YAML_BOMBS } from './yaml-bombs.ts';

const SERVICE_CONFIG = `
replication:
  connections:
    - type: postgresql
      uri: postgresql://user:password@localhost:5432/app
      sslmode: disable
storage: { type: sqlite, path: &path data.db }
client_auth:
  jwks:
    keys: [{ kty: oct, alg: HS256, kid: k1, k: !env PS_KEY }]
  audience: [app, *path]
api:
  tokens: ["t"]
  parameters:
    max_concurrent_connections: 100
port: !env PS_PORT::number
sync_config: { content: "streams: {}" }
`;

export const SERVICE_CONFIG_YAML: DecoderTarget = {
  name: 'service config',
  samples: [SERVICE_CONFIG, '{"port": 8080}'].map(bytesOf),
  bombs: YAML_BOMBS,
  decode: (bytes) =>
    parseConfigText({ name: 'fuzz', text: textOf(bytes) }, { PS_KEY: 'YQ', PS_PORT: '1' }),
  isRefusal: (error) => error instanceof ConfigFileError,
};

const STREAMS = `
config:
  edition: 3
with:
  mine: SELECT id FROM lists WHERE owner_id = auth.user_id()
streams:
  lists: &lists
    auto_subscribe: true
    priority: 1
    query: SELECT * FROM lists WHERE id IN mine
  todos:
    query: |
      SELECT id, title || '!' AS title FROM todos
      WHERE list_id = subscription.parameter('list_id') AND list_id IN mine
event_definitions:
  write_checkpoints:
    payloads: ["SELECT user_id, checkpoint FROM checkpoints"]
`;
const BUCKET_DEFINITIONS = `
bucket_definitions:
  by_user:
    parameters: SELECT request.user_id() AS user_id
    data:
      - SELECT * FROM lists WHERE owner_id = bucket.user_id
  global: { priority: 2, data: ["SELECT id, json_extract(a, '$.b') AS c FROM t"] }
`;

/** Never throws: what is wrong is among the diagnostics. */
export const SYNC_CONFIG_YAML: DecoderTarget = {
  name: 'sync config',
  samples: [STREAMS, BUCKET_DEFINITIONS].map(bytesOf),
  bombs: {
    ...YAML_BOMBS,
    'a key many times': bytesOf(`streams:\n${' a:\n'.repeat(50_000)}`),
    'a condition in brackets': bytesOf(
      `config: {edition: 3}\nstreams: {a: {query: "SELECT * FROM t WHERE ${'('.repeat(5000)}"}}`,
    ),
    'a long condition': bytesOf(
      `config: {edition: 3}\nstreams: {a: {query: "SELECT * FROM t WHERE ${'NOT '.repeat(5000)}a"}}`,
    ),
  },
  decode: (bytes) => compileSyncConfig(textOf(bytes), { defaultSchema: 'public' }),
  isRefusal: () => false,
};
