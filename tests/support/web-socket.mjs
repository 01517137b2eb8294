// The `networkModule` of a database: a WebSocket for versions of Node.js that have none.
export { WebSocket } from 'ws';
