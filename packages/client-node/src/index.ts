export { openConnection, type ConnectionOptions } from './open-connection.ts';
export { openDatabase, type OpenDatabaseOptions } from './open-database.ts';
