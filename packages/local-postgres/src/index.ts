export { installedBinaries } from './binaries.ts';
export { LocalPostgres, type LocalPostgresOptions } from './local-postgres.ts';
