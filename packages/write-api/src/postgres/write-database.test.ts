import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import pg from 'pg';
import { expect, test } from 'vitest';
import { runStatements } from './statement-run.ts';
import { giveBack, takeConnection } from './write-database.ts';

/** A message of PostgreSQL's protocol: its kind, its length, what it says. */
function message(kind: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5, kind);
  head.writeInt32BE(body.byteLength + 4, 1);
  return Buffer.concat([head, body]);
}

const WELCOME = Buffer.concat([
  message('R', Buffer.alloc(4)), // authenticated
  message('Z', Buffer.from('I')), // ready
]);
const FAREWELL = message('E', Buffer.from('SFATAL\0C57P01\0Mterminating connection\0\0'));

/** A server that ends each connection in the packet that says it is ready, as a busy one seems to. */
async function shortLivedServer() {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(Buffer.concat([WELCOME, FAREWELL])));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

test('a connection that is lost as soon as it is ready fails the statement that comes next, and nothing else', async () => {
  await using server = await shortLivedServer();
  const pool = new pg.Pool({ host: '127.0.0.1', port: server.port, user: 'any', max: 1 });
  const nobodyHeard: unknown[] = [];
  const listen = (error: unknown) => nobodyHeard.push(error);
  process.on('uncaughtException', listen);

  const connection = await takeConnection(pool);
  await expect(runStatements(connection, [{ text: 'SELECT 1', values: [] }])).rejects.toThrow();
  giveBack(connection, false);
  await pool.end();

  process.off('uncaughtException', listen);
  expect(nobodyHeard).toEqual([]);
});
