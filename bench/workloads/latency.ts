import type pg from 'pg';
import type { ServiceProcess } from '../../tests/support/service-process.ts';
import type { TokenIssuer } from '../../tests/support/tokens.ts';
import { openStream, percentile, type Figure } from '../harness.ts';

const ROUNDS = 300;
const WARM_UP = 50;

/** Time from the return of a commit to its data line at a client, on an idle service. */
export async function measureLatency(options: {
  readonly service: ServiceProcess;
  readonly sql: pg.Client;
  readonly issuer: TokenIssuer;
}): Promise<Figure[]> {
  const { service, sql, issuer } = options;
  let waiting: { marker: string; arrived: () => void } | undefined;
  const stream = await openStream(service, {
    token: issuer.token('owner-latency'),
    accept: 'application/x-ndjson',
    onChunk: (chunk) => {
      if (waiting !== undefined && chunk.includes(waiting.marker)) waiting.arrived();
    },
  });
  const times: number[] = [];
  for (let round = 0; round < ROUNDS + WARM_UP; round += 1) {
    const marker = `latency-marker-${round}-`;
    const arrival = new Promise<void>((resolve) => (waiting = { marker, arrived: resolve }));
    await sql.query(
      `INSERT INTO items VALUES (gen_random_uuid(), 'owner-latency', 1, $1, true, now())`,
      [marker],
    );
    const committedAt = performance.now();
    await arrival;
    if (round >= WARM_UP) times.push(performance.now() - committedAt);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  stream.close();
  await sql.query(`DELETE FROM items WHERE owner = 'owner-latency'`);
  return [
    {
      name: 'commit to client, p50',
      unit: 'ms',
      value: percentile(times, 50),
      higherIsBetter: false,
    },
    {
      name: 'commit to client, p99',
      unit: 'ms',
      value: percentile(times, 99),
      higherIsBetter: false,
    },
  ];
}
