import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fdatasync, open, type PathLike, write } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import SqliteDatabase from 'better-sqlite3';
import type pg from 'pg';
import { median, type Figure } from './harness.ts';

const SYNCS = 200;
const SQLITE_ROWS = 200_000;
const COMMITS = 200;
const DISK_MB = 256;
const LOOPBACK_MB = 1024;

/** What the machine itself gives, to compare the service's figures with. */
export async function measureLimits(dir: string, sql: pg.Client, rows: number): Promise<Figure[]> {
  const limit = (name: string, unit: string, value: number, higherIsBetter = true): Figure => ({
    name: `limit: ${name}`,
    unit,
    value,
    higherIsBetter,
  });
  const copy = await timedMs(() => sql.query(`COPY items TO '/dev/null' (FORMAT binary)`));
  const commits: number[] = [];
  await sql.query('CREATE TABLE limit_probe (n int)');
  for (let i = 0; i < COMMITS; i += 1) {
    commits.push(await timedMs(() => sql.query('INSERT INTO limit_probe VALUES ($1)', [i])));
  }
  await sql.query('DROP TABLE limit_probe');
  const disk = await measureDisk(path.join(dir, 'disk-probe'));
  return [
    limit('COPY of the table within the server', 'rows/s', (rows * 1000) / copy),
    limit('commit of one row in the source, p50', 'ms', median(commits), false),
    limit('8 kB written and synced, p50', 'ms', disk.syncMs, false),
    limit('sequential write, synced', 'MB/s', disk.mbPerSecond),
    limit('loopback, one connection', 'MB/s', await loopbackRate()),
    limit('SQLite, 200-byte rows by 10,000, durable', 'rows/s', sqliteRate(dir)),
  ];
}

async function measureDisk(file: PathLike): Promise<{ syncMs: number; mbPerSecond: number }> {
  const fd = await promisify(open)(file, 'w');
  const put = promisify(write);
  const sync = promisify(fdatasync);
  const page = Buffer.alloc(8192, 1);
  const times: number[] = [];
  for (let i = 0; i < SYNCS; i += 1) {
    times.push(
      await timedMs(async () => {
        await put(fd, page);
        await sync(fd);
      }),
    );
  }
  const megabyte = Buffer.alloc(1 << 20, 1);
  const ms = await timedMs(async () => {
    for (let i = 0; i < DISK_MB; i += 1) await put(fd, megabyte);
    await sync(fd);
  });
  return { syncMs: median(times), mbPerSecond: (DISK_MB * 1000) / ms };
}

/** From one process to another, as the service and its clients are. */
async function loopbackRate(): Promise<number> {
  const code = `
    const socket = require('node:net').connect(Number(process.argv[1]), '127.0.0.1');
    const chunk = Buffer.alloc(1 << 16, 1);
    let left = ${LOOPBACK_MB} * 16;
    const send = () => { while (left-- > 0) if (!socket.write(chunk)) return; socket.end(); };
    socket.on('drain', send).on('connect', send);`;
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const sender = spawn(process.execPath, ['-e', code, String(port)], { stdio: 'inherit' });
  const [socket] = (await once(server, 'connection')) as [Socket];
  const ms = await timedMs(() => once(socket.resume(), 'end'));
  server.close();
  if (sender.exitCode === null) await once(sender, 'exit');
  return (LOOPBACK_MB * 1000) / ms;
}

function sqliteRate(dir: string): number {
  const db = new SqliteDatabase(path.join(dir, 'limit.db'));
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT)');
  const insert = db.prepare('INSERT INTO t (body) VALUES (?)');
  const body = 'x'.repeat(200);
  const batch = db.transaction(() => {
    for (let i = 0; i < 10_000; i += 1) insert.run(body);
  });
  const startedAt = performance.now();
  for (let rows = 0; rows < SQLITE_ROWS; rows += 10_000) batch();
  const ms = performance.now() - startedAt;
  db.close();
  return (SQLITE_ROWS * 1000) / ms;
}

async function timedMs(run: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await run();
  return performance.now() - startedAt;
}
