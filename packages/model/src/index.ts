export type { Checkpoint, OpId, SourcePosition } from './checkpoint.ts';
export type { EvaluatedRow, LookupEntry, RowOutput } from './evaluated-row.ts';
export type { SqliteRow, SqliteType, SqliteValue } from './sqlite-value.ts';
export { matchesPattern, type Column, type TablePattern, type TableSchema } from './table.ts';
export { userKeyOf } from './user-key.ts';
