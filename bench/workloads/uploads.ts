import { randomUUID } from 'node:crypto';
import { connect as connectSocket, type Socket } from 'node:net';
import pg from 'pg';
import type { ServiceProcess } from '../../tests/support/service-process.ts';
import type { TokenIssuer } from '../../tests/support/tokens.ts';
import { percentile, type Figure } from '../harness.ts';
import { cpuSeconds } from '../process-figures.ts';

export const UPLOAD_SYNC_CONFIG = `
config:
  edition: 4
streams:
  nothing:
    query: SELECT * FROM unrelated WHERE owner = auth.user_id()
`;

export const UPLOAD_TABLES = `
CREATE TABLE unrelated (id uuid PRIMARY KEY, owner text);
CREATE TABLE tasks (id uuid PRIMARY KEY, owner text NOT NULL, title text, done boolean, position int, changed_at timestamptz);
CREATE PUBLICATION powersync FOR TABLE unrelated;
`;

export interface UploadBench {
  readonly service: ServiceProcess;
  readonly sql: pg.Client;
  readonly issuer: TokenIssuer;
  readonly url: string;
  readonly seconds: number;
}

const CLIENTS = 64;
/** Connections of the comparison, and of the service. */
const CONNECTIONS = 16;

/** What many clients at once get through the write API, beside what PostgreSQL itself takes. */
export async function measureUploads(bench: UploadBench): Promise<Figure[]> {
  const figures: Figure[] = [];
  const add = (name: string, unit: string, value: number, higherIsBetter = true) =>
    figures.push({ name, unit, value, higherIsBetter });
  add('limit: one-row inserts over pg, a commit each', 'rows/s', await plainInserts(bench));
  for (const rows of [1, 100]) {
    await upload(bench, rows, bench.seconds); // compiled by then
    const before = await processorSeconds(bench);
    const { batches, times } = await upload(bench, rows, bench.seconds);
    const after = await processorSeconds(bench);
    const perSecond = batches / bench.seconds;
    add(`batches of ${rows}: batches`, 'batches/s', perSecond);
    add(`batches of ${rows}: rows`, 'rows/s', perSecond * rows);
    const each = (from: number, to: number) => ((to - from) * 1000) / batches;
    const service = each(before.service, after.service);
    const postgres = each(before.postgres, after.postgres);
    add(`batches of ${rows}: processor of the service, each`, 'ms', service, false);
    add(`batches of ${rows}: processor of PostgreSQL, each`, 'ms', postgres, false);
    add(
      `batches of ${rows}: what two free cores would do`,
      'rows/s',
      (2000 * rows) / (service + postgres),
    );
    add(`batches of ${rows}: answer, p50`, 'ms', percentile(times, 50), false);
    add(`batches of ${rows}: answer, p99`, 'ms', percentile(times, 99), false);
  }
  return figures;
}

/** What both have used so far: on a machine that does other things too, this says more than time. */
async function processorSeconds({ service, sql }: UploadBench) {
  const { rows } = await sql.query<{ pid: number }>('SELECT pid FROM pg_stat_activity');
  const each = await Promise.all(rows.map(({ pid }) => cpuSeconds(pid).catch(() => 0)));
  const postgres = each.reduce((sum, seconds) => sum + seconds, 0);
  return { service: await cpuSeconds(service.pid ?? 0), postgres };
}

async function plainInserts({ url, seconds }: UploadBench): Promise<number> {
  let rows = 0;
  const endAt = performance.now() + seconds * 1000;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      const text = 'INSERT INTO tasks VALUES ($1, $2, $3, $4, $5, $6)';
      while (performance.now() < endAt) {
        const values = [randomUUID(), 'owner', 'A task to do', false, rows, new Date()];
        await client.query({ name: 'insert', text, values });
        rows += 1;
      }
      await client.end();
    }),
  );
  return rows / seconds;
}

async function upload({ service, issuer }: UploadBench, rows: number, seconds: number) {
  const times: number[] = [];
  let batches = 0;
  const endAt = performance.now() + seconds * 1000;
  await Promise.all(
    Array.from({ length: CLIENTS }, async (_, n) => {
      const client = new UploadingClient(service.port, issuer.token(`user-${n}`));
      while (performance.now() < endAt) {
        const sentAt = performance.now();
        await client.send(rows);
        times.push(performance.now() - sentAt);
        batches += 1;
      }
      client.close();
    }),
  );
  return { batches, times };
}

/** As little of HTTP as keeps the generator cheap: one connection, one request at a time. */
class UploadingClient {
  readonly #socket: Socket;
  readonly #token: string;
  readonly #clientId = randomUUID();
  #seq = 0;
  #received = '';
  #answered: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;

  constructor(port: number, token: string) {
    this.#token = token;
    this.#socket = connectSocket(port, '127.0.0.1').setNoDelay(true).setEncoding('latin1');
    this.#socket.on('data', (text: string) => this.#take(text));
    this.#socket.on('error', (error) => this.#answered?.reject(error));
  }

  send(rows: number): Promise<void> {
    const entries = Array.from({ length: rows }, () => {
      this.#seq += 1;
      const data = {
        owner: 'owner',
        title: 'A task to do',
        done: 0,
        position: this.#seq,
        changed_at: '2031-07-08T09:10:11Z',
      };
      return { seq: this.#seq, tx: this.#seq, op: 'PUT', table: 'tasks', id: randomUUID(), data };
    });
    const body = JSON.stringify({ clientId: this.#clientId, sdk: 'bench', entries });
    this.#socket.write(
      `POST /upload HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${this.#token}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    return new Promise((resolve, reject) => (this.#answered = { resolve, reject }));
  }

  #take(text: string): void {
    this.#received += text;
    const headEnd = this.#received.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(this.#received)?.[1]);
    if (this.#received.length < headEnd + 4 + length) return;
    const isOk =
      this.#received.startsWith('HTTP/1.1 200') && !this.#received.includes('"rejected"');
    const answer = this.#received;
    this.#received = '';
    if (isOk) this.#answered?.resolve();
    else this.#answered?.reject(new Error(answer.slice(0, 2000)));
  }

  close(): void {
    this.#socket.destroy();
  }
}
