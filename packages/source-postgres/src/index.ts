export { createPostgresSource } from './postgres-source.ts';
export type { PostgresConnectionOptions, PostgresSourceOptions } from './options.ts';
export { TypeCatalog } from './types/type-catalog.ts';
export { openPool } from './connect/open-pool.ts';
