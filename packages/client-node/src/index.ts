export { openConnection, type ConnectionOptions } from './open-connection.ts';
