import { z } from 'zod';
import { flag, integer, key, list, text } from './described-key.ts';
import { signInSchema, tokensSchema } from './tokens-schema.ts';

/** SQL of the sync config; YAML reads `true` and `1` as what they look like. */
const expression = z.union([z.string(), z.number(), z.boolean()]);
const rule = (operation: string, rows: string) =>
  key(
    expression,
    'expression',
    `Which rows may be ${operation}: \`true\`, \`false\`, or an expression over ${rows} and \`auth\``,
    '`true`',
  );

const assignments = (when: string) =>
  key(
    z.record(z.string(), expression),
    'map of expressions',
    `Columns that the server sets ${when}, over what the client sent`,
  );

const validation = z.strictObject({
  check: expression.meta({
    type: 'expression',
    meaning: 'Must be true of the row that is to be; required',
  }),
  message: text('What the client is told when it is not; required').unwrap(),
  code: text('Word for it that the answer has as `code`', '`UPLOAD_CHECK_FAILED`'),
});

const conflict = z.union(
  [
    z.enum(['last_write_wins', 'field_merge']),
    z.strictObject({ reject_stale: z.string() }),
    z.strictObject({ counters: z.array(z.string()).min(1) }),
    z.strictObject({ function: z.string() }),
  ],
  {
    error:
      'expected last_write_wins, field_merge, { reject_stale: column }, { counters: [columns] } or { function: name }',
  },
);

const columns = z.union(
  [
    z.array(z.string()),
    z.strictObject({
      insert: z.array(z.string()).optional(),
      update: z.array(z.string()).optional(),
    }),
  ],
  { error: 'expected a list of columns, or { insert: [...], update: [...] }' },
);

const update = z.union([expression, z.strictObject({ using: expression, check: expression })], {
  error: 'expected an expression, or { using: expression, check: expression }',
});

const tableRulesSchema = z.strictObject({
  insert: rule('inserted', '`new`'),
  update: key(
    update,
    'expression, or `{ using: expression, check: expression }`',
    'Which rows may be updated, before and after it; `using`: as they are, `check`: as they become',
    '`true`',
  ),
  delete: rule('deleted', '`old`'),
  read: key(
    expression,
    'expression',
    'Which rows the data API shows, and whose existence refusals may tell',
    'none',
  ),
  columns: key(
    columns,
    'list of text, or one for each of `insert` and `update`',
    'Columns that clients may write',
    'all',
  ),
  required: list('Columns that an insert must give a value'),
  immutable: list('Columns that an update may not change'),
  set: z
    .strictObject({
      insert: assignments('at an insert'),
      update: assignments('at an update'),
      always: assignments('at both'),
    })
    .optional(),
  validate: z.array(validation).optional(),
  conflict: key(
    conflict,
    '`last_write_wins`, `field_merge`, `{ reject_stale: column }`, `{ counters: [columns] }`, `{ function: name }`',
    'What becomes of an update when the row has changed since the client saw it',
    '`last_write_wins`',
  ),
});

const serviceToken = z
  .strictObject({
    token: key(z.string().min(16), 'text', 'The secret, at least 16 characters; required').unwrap(),
    role: key(
      z.literal('service'),
      '`service`',
      'Acts as the service itself: no rules and no row-level security count',
    ),
    user_id: text('Acts as this user, under all rules'),
    claims: key(z.record(z.string(), z.unknown()), 'map', 'Claims of that user'),
  })
  .refine(({ role, user_id }) => (role === undefined) !== (user_id === undefined), {
    error: 'expected either role or user_id',
  });

/**
 * The section `write_api` of the service's config as written (docs/decisions/2026-11-25-write-api.md):
 * shapes only. What the expressions in it may say, `policy/` and `conflict/` check against the live
 * schema; defaults are in `write-api-config.ts`. docs/config.md shows the `meta` texts.
 */
export const WRITE_API_SCHEMA = z.strictObject({
  schema: text('Schema whose tables are written', '`public`'),
  tables: z.record(z.string(), z.nullable(tableRulesSchema)).optional(),
  row_level_security: z
    .strictObject({
      role: text(
        'Role that writes, with the claims of the token in `request.jwt.claims`; required',
      ).unwrap(),
    })
    .optional(),
  rejected_writes: key(
    z.union([z.literal(false), z.string().min(1)], { error: 'expected a table name or false' }),
    'text or `false`',
    'Table of `schema`, made if missing, that keeps what was refused, for streams to sync back; `false`: none',
    '`sluice_rejected_writes`',
  ),
  rejected_writes_days: integer(1, 3650, 'Days that a refused write is kept', '30'),
  rejected_writes_per_user: integer(
    1,
    100_000,
    'Refused writes that are kept of one user, the newest',
    '1000',
  ),
  atomic_transactions: flag(
    'One refused write refuses its whole client transaction; else only itself',
  ),
  remember_uploads_days: integer(30, 3650, 'Days in which a repeated upload is recognised', '30'),
  functions: text('Folder with functions in TypeScript, relative to this file'),
  reload_functions: flag('For development: read the functions again when a file changes'),
  function_threads: integer(
    1,
    64,
    'Threads of a process for hooks, and as many again for endpoints; each serves one call at a time',
    '4',
  ),
  function_memory_mb: integer(16, 8192, 'JavaScript heap of a function thread', '128'),
  hook_timeout_seconds: integer(1, 60, 'Longest call of a hook, conflict function or sign-in', '5'),
  endpoint_timeout_seconds: integer(
    1,
    600,
    'Longest call of an endpoint, and longest work after a commit',
    '30',
  ),
  service_tokens: z.array(serviceToken).optional(),
  tokens: tokensSchema.optional(),
  sign_in: signInSchema.optional(),
  max_entries: integer(1, 100_000, 'Entries of one upload', '1000'),
  max_body_bytes: integer(
    1024,
    1 << 28,
    'Bytes of the body of an upload, after decompression',
    '1048576',
  ),
  max_concurrency: integer(
    1,
    10_000,
    'Requests of a process that are worked on at a time; those above it wait, or get 503',
    '100',
  ),
  max_pool_size: integer(1, 1000, 'Connections of a process to the database', '8'),
  statement_timeout_seconds: integer(1, 3600, 'Longest statement', '30'),
});

/** The section as written, after the check. */
export type RawWriteApi = z.infer<typeof WRITE_API_SCHEMA>;
export type RawTableRules = z.infer<typeof tableRulesSchema>;
