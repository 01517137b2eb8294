-- Written by migrations.test.ts. The database of bucket storage:

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

CREATE TABLE counters (
  -- fill: the last fill number given out
  -- discard: moves on whenever buckets are about to vanish or have vanished, so that readers
  -- forget what they remember
  id INTEGER PRIMARY KEY CHECK (id = 1),
  fill INTEGER NOT NULL,
  discard INTEGER NOT NULL
);

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

CREATE TABLE generations (
  -- 'deleting' ones are hidden; their data is being removed
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  state TEXT NOT NULL CHECK (state IN ('preparing', 'active', 'retired', 'deleting')),
  source_handle TEXT,
  subkey_salt TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL
);

CREATE UNIQUE INDEX generations_active ON generations (state) WHERE state = 'active';

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

CREATE TABLE nameless_buckets (
  -- Buckets that have left their table, and whose segments are being removed
  generation_id INTEGER NOT NULL,
  bucket_id INTEGER NOT NULL,
  PRIMARY KEY (generation_id, bucket_id)
) WITHOUT ROWID;

CREATE TABLE object_types (
  -- Numbers for client table names in row states
  generation_id INTEGER NOT NULL,
  type_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (generation_id, type_id)
) WITHOUT ROWID;

CREATE TABLE progress (
  -- What changes with every batch, apart from the large texts in generations
  generation_id INTEGER PRIMARY KEY,
  resume TEXT NOT NULL,
  checkpoint_op INTEGER,
  checkpoint_position TEXT
);

CREATE TABLE row_copies (
  -- Values of rows that the source may omit later
  generation_id INTEGER NOT NULL,
  table_id INTEGER NOT NULL,
  key TEXT NOT NULL,
  copy BLOB NOT NULL,
  PRIMARY KEY (generation_id, table_id, key)
) WITHOUT ROWID;

CREATE TABLE row_state_log (
  -- States that are newer than those in row_states, in the order of writing (row-state-log.ts)
  generation_id INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  states BLOB NOT NULL,
  PRIMARY KEY (generation_id, seq)
) WITHOUT ROWID;

CREATE TABLE row_states (
  -- What each source row produced (row-state.ts)
  generation_id INTEGER NOT NULL,
  table_id INTEGER NOT NULL,
  key TEXT NOT NULL,
  state BLOB NOT NULL,
  PRIMARY KEY (generation_id, table_id, key)
) WITHOUT ROWID;

CREATE INDEX row_states_tombstones ON row_states (generation_id, table_id) WHERE state = x'01';

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

CREATE TABLE sequence (
  -- The last op id and bucket id given out; both never go back
  id INTEGER PRIMARY KEY CHECK (id = 1),
  last_op INTEGER NOT NULL,
  last_bucket INTEGER NOT NULL
);

CREATE TABLE source_tables (
  -- What replication remembers of a table
  generation_id INTEGER NOT NULL,
  table_id INTEGER NOT NULL,
  state TEXT NOT NULL,
  PRIMARY KEY (generation_id, table_id)
) WITHOUT ROWID;

-- The database of write checkpoints:

CREATE TABLE write_checkpoint_changes (
  -- The last change_seq given out; never goes back
  id INTEGER PRIMARY KEY CHECK (id = 1),
  last INTEGER NOT NULL
);

CREATE TABLE write_checkpoints (
  -- One record per user; change_seq orders the changes for those who watch
  user TEXT PRIMARY KEY,
  value INTEGER NOT NULL,
  head TEXT NOT NULL,
  change_seq INTEGER NOT NULL
  , requested_at_ms INTEGER) WITHOUT ROWID;

CREATE UNIQUE INDEX write_checkpoints_change ON write_checkpoints (change_seq);

CREATE INDEX write_checkpoints_requested ON write_checkpoints (requested_at_ms)
  WHERE requested_at_ms IS NOT NULL;
