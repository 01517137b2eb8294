export { createPostgresSource } from './postgres-source.ts';
export type { PostgresConnectionOptions, PostgresSourceOptions } from './options.ts';
export { TypeCatalog } from './types/type-catalog.ts';
