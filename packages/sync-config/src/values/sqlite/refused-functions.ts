const TIME = 'the same row must always give the same result, whenever it is read';
const INEXACT = 'its last digits differ between machines';
const ROWS = 'it needs all rows at once; count or add them up on the device';

/** Functions of SQLite that are left out, with the reason. */
export const REFUSED_FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ...list('now current_timestamp current_date current_time random randomblob changes', TIME),
  ...list('last_insert_rowid total_changes', TIME),
  ...list('exp ln log log2 log10 pow power sin cos tan asin acos atan atan2', INEXACT),
  ...list('sinh cosh tanh asinh acosh atanh', INEXACT),
  ...list('count sum total avg group_concat string_agg median percentile', ROWS),
  ...list('json_group_array json_group_object row_number rank dense_rank', ROWS),
  ...list('format printf', 'its result depends on the format text; put the parts together with ||'),
  ...list('zeroblob jsonb', 'BLOBs never reach a client'),
]);

function list(names: string, reason: string): [string, string][] {
  return names.split(' ').map((name) => [name, reason]);
}
