export { createPostgresSource } from './postgres-source.ts';
export type { PostgresConnectionOptions, PostgresSourceOptions } from './options.ts';
export { DEFAULT_TYPE_OPTIONS, type TypeOptions } from './types/type-options.ts';
