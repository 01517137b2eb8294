-- Written by migrations.test.ts. The database of bucket storage:

CREATE TABLE buckets (
  id INTEGER PRIMARY KEY,
  generation_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  epoch INTEGER NOT NULL DEFAULT 0,
  hidden_up_to INTEGER NOT NULL DEFAULT 0
);

CREATE UNIQUE INDEX buckets_name ON buckets (generation_id, name);

CREATE TABLE deltas (
  generation_id INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  up_to_op INTEGER NOT NULL,
  buckets TEXT,
  lookups TEXT,
  compacted TEXT,
  PRIMARY KEY (generation_id, seq)
) WITHOUT ROWID;

CREATE TABLE generations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  state TEXT NOT NULL CHECK (state IN ('preparing', 'active', 'retired', 'deleting')),
  config_text TEXT NOT NULL,
  config_hash TEXT NOT NULL,
  source_handle TEXT,
  subkey_salt TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL
);

CREATE UNIQUE INDEX generations_active ON generations (state) WHERE state = 'active';

CREATE TABLE lookups (
  generation_id INTEGER NOT NULL,
  key TEXT NOT NULL,
  from_op INTEGER NOT NULL,
  to_op INTEGER,
  entry_values TEXT NOT NULL,
  PRIMARY KEY (generation_id, key, from_op)
) WITHOUT ROWID;

CREATE INDEX lookups_closed ON lookups (generation_id, to_op) WHERE to_op IS NOT NULL;

CREATE TABLE object_types (
  generation_id INTEGER NOT NULL,
  type_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (generation_id, type_id)
) WITHOUT ROWID;

CREATE TABLE progress (
  generation_id INTEGER PRIMARY KEY,
  resume TEXT NOT NULL,
  checkpoint_op INTEGER,
  checkpoint_position TEXT
);

CREATE TABLE row_copies (
  generation_id INTEGER NOT NULL,
  table_id INTEGER NOT NULL,
  key TEXT NOT NULL,
  copy BLOB NOT NULL,
  PRIMARY KEY (generation_id, table_id, key)
) WITHOUT ROWID;

CREATE TABLE row_states (
  generation_id INTEGER NOT NULL,
  table_id INTEGER NOT NULL,
  key TEXT NOT NULL,
  state BLOB NOT NULL,
  PRIMARY KEY (generation_id, table_id, key)
) WITHOUT ROWID;

CREATE INDEX row_states_tombstones ON row_states (generation_id, table_id) WHERE state = x'01';

CREATE TABLE segments (
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

CREATE TABLE sequence (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  last_op INTEGER NOT NULL,
  last_bucket INTEGER NOT NULL
);

CREATE TABLE source_tables (
  generation_id INTEGER NOT NULL,
  table_id INTEGER NOT NULL,
  state TEXT NOT NULL,
  PRIMARY KEY (generation_id, table_id)
) WITHOUT ROWID;

-- The database of write checkpoints:

CREATE TABLE write_checkpoints (
  user TEXT PRIMARY KEY,
  value INTEGER NOT NULL,
  head TEXT NOT NULL,
  change_seq INTEGER NOT NULL
) WITHOUT ROWID;

CREATE UNIQUE INDEX write_checkpoints_change ON write_checkpoints (change_seq);
