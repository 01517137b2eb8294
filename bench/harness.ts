import { readFile } from 'node:fs/promises';
import http from 'node:http';
import pg from 'pg';
import type { ServiceProcess } from '../tests/support/service-process.ts';

export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  /** Whether a larger value is better. */
  readonly higherIsBetter: boolean;
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const index = Math.min(sorted.length - 1, Math.ceil((percent / 100) * sorted.length) - 1);
  return sorted[Math.max(0, index)] ?? Number.NaN;
}

export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}

/** Resident memory of a process in megabytes, now and at its peak; Linux only, NaN elsewhere. */
export async function memoryMb(pid: number): Promise<{ now: number; peak: number }> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const read = (key: string): number =>
    Number(new RegExp(`${key}:\\s+(\\d+) kB`).exec(text)?.[1] ?? Number.NaN) / 1024;
  return { now: read('VmRSS'), peak: read('VmHWM') };
}

/** An open sync stream that hands over raw chunks; `close` ends it. */
export interface RawStream {
  readonly close: () => void;
  readonly ended: Promise<void>;
}

export function openStream(
  service: ServiceProcess,
  options: {
    readonly token: string;
    readonly accept: string;
    readonly onChunk: (chunk: Buffer) => void;
    readonly clientId?: string;
  },
): Promise<RawStream> {
  const body = JSON.stringify({
    buckets: [],
    include_checksum: true,
    raw_data: true,
    client_id: options.clientId ?? 'bench',
    parameters: {},
  });
  return new Promise((resolve, reject) => {
    const request = http.request(
      `${service.url}/sync/stream`,
      {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Token ${options.token}`,
          accept: options.accept,
        },
      },
      (response) => {
        if (response.statusCode !== 200) {
          reject(new Error(`Stream answered ${response.statusCode}`));
          return;
        }
        const ended = new Promise<void>((done) => response.once('close', () => done()));
        response.on('data', options.onChunk);
        response.on('error', () => {}); // closing on purpose ends in an error as well
        resolve({ close: () => request.destroy(), ended });
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

const COMPLETE = Buffer.from('checkpoint_complete');

/** Downloads everything a user has; resolves with the bytes when the first checkpoint is complete. */
export async function downloadAll(
  service: ServiceProcess,
  token: string,
  accept: string,
): Promise<number> {
  let bytes = 0;
  let tail: Buffer = Buffer.alloc(0);
  let finish: () => void = () => {};
  const complete = new Promise<void>((resolve) => (finish = resolve));
  const stream = await openStream(service, {
    token,
    accept,
    onChunk: (chunk) => {
      bytes += chunk.byteLength;
      // The last line is short, so it lies within the end of what has come so far.
      tail = Buffer.concat([tail, chunk.subarray(-200)]).subarray(-200);
      if (tail.includes(COMPLETE) && !tail.includes('partial_checkpoint_complete')) finish();
    },
  });
  await Promise.race([
    complete,
    stream.ended.then(() => Promise.reject(new Error('Stream ended'))),
  ]);
  stream.close();
  return bytes;
}
