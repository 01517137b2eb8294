export { ChangeRelay, type ChangeRelayOptions } from './change-relay.ts';
export type { ChangeTopic } from './change-signal.ts';
export { openSqliteStorage, type SqliteStorageOptions } from './sqlite-storage.ts';
