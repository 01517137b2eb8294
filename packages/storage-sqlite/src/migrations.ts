import { StorageError } from '@sluice/base';
import type { Database } from './database.ts';
import { guarded } from './sqlite-error.ts';

/**
 * Numbered and forward-only: a released step never changes. The result is dumped in `schema.sql`,
 * where the tables are explained.
 */
export const STORAGE_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE sequence (
    -- The last op id and bucket id given out; both never go back
    id INTEGER PRIMARY KEY CHECK (id = 1),
    last_op INTEGER NOT NULL,
    last_bucket INTEGER NOT NULL
  );
  INSERT INTO sequence (id, last_op, last_bucket) VALUES (1, 0, 0);

  CREATE TABLE generations (
    -- 'deleting' ones are hidden; their data is being removed
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    state TEXT NOT NULL CHECK (state IN ('preparing', 'active', 'retired', 'deleting')),
    config_text TEXT NOT NULL,
    config_hash TEXT NOT NULL,
    source_handle TEXT,
    subkey_salt TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL
  );
  CREATE UNIQUE INDEX generations_active ON generations (state) WHERE state = 'active';

  CREATE TABLE progress (
    -- What changes with every batch, apart from the large texts in generations
    generation_id INTEGER PRIMARY KEY,
    resume TEXT NOT NULL,
    checkpoint_op INTEGER,
    checkpoint_position TEXT
  );

  CREATE TABLE source_tables (
    -- What replication remembers of a table
    generation_id INTEGER NOT NULL,
    table_id INTEGER NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (generation_id, table_id)
  ) WITHOUT ROWID;

  CREATE TABLE object_types (
    -- Numbers for client table names in row states
    generation_id INTEGER NOT NULL,
    type_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (generation_id, type_id)
  ) WITHOUT ROWID;

  CREATE TABLE buckets (
    -- epoch: rises with each compaction that readers notice
    -- hidden_up_to: how far the last complete compaction pass reached
    id INTEGER PRIMARY KEY,
    generation_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    epoch INTEGER NOT NULL DEFAULT 0,
    hidden_up_to INTEGER NOT NULL DEFAULT 0
  );
  CREATE UNIQUE INDEX buckets_name ON buckets (generation_id, name);

  CREATE TABLE segments (
    -- Runs of ops (packages/storage/src/segment), in the order of writing, so that a batch for
    -- thousands of buckets fills few pages; readers find theirs through the index.
    -- superseded_count: ops of the bucket, these included, that these ops made superfluous
    last_op INTEGER PRIMARY KEY,
    bucket_id INTEGER NOT NULL,
    first_op INTEGER NOT NULL,
    op_count INTEGER NOT NULL,
    visible_count INTEGER NOT NULL,
    fresh_count INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    requires_checkpoint INTEGER NOT NULL,
    superseded_count INTEGER NOT NULL,
    payload_bytes INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    op_index BLOB NOT NULL,
    payload BLOB NOT NULL
  );
  CREATE INDEX segments_bucket ON segments (bucket_id, last_op, first_op, fresh_count, checksum,
    requires_checkpoint, payload_bytes, epoch, visible_count, superseded_count);

  CREATE TABLE row_states (
    -- What each source row produced (row-state.ts)
    generation_id INTEGER NOT NULL,
    table_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (generation_id, table_id, key)
  ) WITHOUT ROWID;

  CREATE INDEX row_states_tombstones ON row_states (generation_id, table_id) WHERE state = x'01';

  CREATE TABLE row_copies (
    -- Values of rows that the source may omit later
    generation_id INTEGER NOT NULL,
    table_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    copy BLOB NOT NULL,
    PRIMARY KEY (generation_id, table_id, key)
  ) WITHOUT ROWID;

  CREATE TABLE lookups (
    -- An entry belongs to checkpoints from from_op up to, but without, to_op
    generation_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    from_op INTEGER NOT NULL,
    to_op INTEGER,
    entry_values TEXT NOT NULL,
    PRIMARY KEY (generation_id, key, from_op)
  ) WITHOUT ROWID;
  CREATE INDEX lookups_closed ON lookups (generation_id, to_op) WHERE to_op IS NOT NULL;

  CREATE TABLE deltas (
    -- What each batch changed, for readers to learn with the checkpoint that covers up_to_op:
    -- JSON arrays of bucket ids, lookup keys and compacted bucket ids; NULL means all
    generation_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    up_to_op INTEGER NOT NULL,
    buckets TEXT,
    lookups TEXT,
    compacted TEXT,
    PRIMARY KEY (generation_id, seq)
  ) WITHOUT ROWID;
  `,
  // Several configs per generation. Buckets that were filled before are all named
  // '<generation id>#...', whatever their definition, and what a definition's hash is only the
  // compiler of sync configs knows: so the config of an old generation says nothing about prefixes.
  // Replication then fills a new generation beside it, as for any config that shares no buckets.
  `
  CREATE TABLE configs (
    -- The sync configs that a generation keeps buckets for
    -- prefixes: JSON object, hash of a definition -> what its bucket names and lookup keys begin with
    generation_id INTEGER NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('serving', 'next', 'previous')),
    text TEXT NOT NULL,
    hash TEXT NOT NULL,
    prefixes TEXT NOT NULL,
    deployed_at_ms INTEGER NOT NULL,
    PRIMARY KEY (generation_id, role)
  ) WITHOUT ROWID;
  INSERT INTO configs (generation_id, role, text, hash, prefixes, deployed_at_ms)
    SELECT id, 'serving', config_text, config_hash, '{}', created_at_ms FROM generations;
  ALTER TABLE generations DROP COLUMN config_text;
  ALTER TABLE generations DROP COLUMN config_hash;

  CREATE TABLE discards (
    -- Prefixes of bucket names and lookup keys that were removed, or are being removed. Row states
    -- go on naming them: buckets up to up_to_bucket, lookups up to up_to_op
    generation_id INTEGER NOT NULL,
    prefix TEXT NOT NULL,
    up_to_op INTEGER NOT NULL,
    up_to_bucket INTEGER NOT NULL,
    is_done INTEGER NOT NULL,
    PRIMARY KEY (generation_id, prefix)
  ) WITHOUT ROWID;

  CREATE TABLE nameless_buckets (
    -- Buckets that have left their table, and whose segments are being removed
    generation_id INTEGER NOT NULL,
    bucket_id INTEGER NOT NULL,
    PRIMARY KEY (generation_id, bucket_id)
  ) WITHOUT ROWID;

  CREATE TABLE counters (
    -- fill: the last fill number given out
    -- discard: moves on whenever buckets are about to vanish or have vanished, so that readers
    -- forget what they remember
    id INTEGER PRIMARY KEY CHECK (id = 1),
    fill INTEGER NOT NULL,
    discard INTEGER NOT NULL
  );
  INSERT INTO counters (id, fill, discard) VALUES (1, 0, 0);
  `,
  `
  CREATE TABLE row_state_log (
    -- States that are newer than those in row_states, in the order of writing (row-state-log.ts)
    generation_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    states BLOB NOT NULL,
    PRIMARY KEY (generation_id, seq)
  ) WITHOUT ROWID;
  `,
];

export const WRITE_CHECKPOINT_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE write_checkpoints (
    -- One record per user; change_seq orders the changes for those who watch
    user TEXT PRIMARY KEY,
    value INTEGER NOT NULL,
    head TEXT NOT NULL,
    change_seq INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE UNIQUE INDEX write_checkpoints_change ON write_checkpoints (change_seq);
  `,
  // Records can go now, the one with the highest change_seq too, so that has to be kept elsewhere.
  `
  ALTER TABLE write_checkpoints ADD COLUMN requested_at_ms INTEGER;
  CREATE INDEX write_checkpoints_requested ON write_checkpoints (requested_at_ms)
    WHERE requested_at_ms IS NOT NULL;

  CREATE TABLE write_checkpoint_changes (
    -- The last change_seq given out; never goes back
    id INTEGER PRIMARY KEY CHECK (id = 1),
    last INTEGER NOT NULL
  );
  INSERT INTO write_checkpoint_changes (id, last)
    SELECT 1, coalesce(max(change_seq), 0) FROM write_checkpoints;
  `,
];

/**
 * Brings a database up to date. Safe while other processes do the same.
 *
 * @throws StorageError `STORAGE_VERSION` when a newer version has written it.
 */
export function migrate(db: Database, steps: readonly string[]): void {
  guarded(db, () => {
    if (schemaVersion(db) === steps.length) return;
    const run = db.transaction(() => {
      const version = schemaVersion(db);
      if (version > steps.length) throw newerVersion(db, version, steps.length);
      for (const step of steps.slice(version)) db.exec(step);
      db.pragma(`user_version = ${steps.length}`);
    });
    run.immediate();
  });
}

function schemaVersion(db: Database): number {
  return db.pragma('user_version', { simple: true }) as number;
}

function newerVersion(db: Database, found: number, known: number): StorageError {
  return new StorageError(
    'STORAGE_VERSION',
    `${db.name} has version ${found} of the schema; this program knows up to ${known}`,
    { details: { found, known } },
  );
}

/** The schema as text, ordered by name. */
export function dumpSchema(db: Database): string {
  const rows = db
    .prepare(
      `SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'
       ORDER BY tbl_name, type DESC, name`,
    )
    .pluck()
    .all() as string[];
  return rows
    .map((sql) => `${sql.replaceAll(/^ {4}/gm, '  ').replace(/^ {2}\)/m, ')')};\n`)
    .join('\n');
}
