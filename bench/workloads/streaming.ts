import type pg from 'pg';
import type { ServiceProcess } from '../../tests/support/service-process.ts';
import type { TokenIssuer } from '../../tests/support/tokens.ts';
import { openStream, type Figure } from '../harness.ts';

/**
 * Row changes per second of a backlog: changes are made while the service process stands still
 * (SIGSTOP); then the time from when it goes on until a write checkpoint taken after the changes
 * arrives at a client. Each change is one op in each of two buckets.
 */
export async function measureStreaming(options: {
  readonly service: ServiceProcess;
  readonly sql: pg.Client;
  readonly issuer: TokenIssuer;
}): Promise<Figure[]> {
  await options.sql.query(`
    CREATE PROCEDURE change_items(transactions int, rows_each int) LANGUAGE plpgsql AS $$
    BEGIN
      FOR t IN 1..transactions LOOP
        INSERT INTO items SELECT gen_random_uuid(), 'owner-' || (t + i) % 1000, (t + i) % 50,
          'title ' || i || repeat(' lorem ipsum', 10), true, now() FROM generate_series(1, rows_each) AS i;
        COMMIT;
      END LOOP;
    END $$`);
  const single = await drain(options, 60_000, 1);
  const large = await drain(options, 20, 10_000);
  return [
    {
      name: 'streaming, 1-row transactions',
      unit: 'changes/s',
      value: single,
      higherIsBetter: true,
    },
    {
      name: 'streaming, 10,000-row transactions',
      unit: 'changes/s',
      value: large,
      higherIsBetter: true,
    },
  ];
}

async function drain(
  options: {
    readonly service: ServiceProcess;
    readonly sql: pg.Client;
    readonly issuer: TokenIssuer;
  },
  transactions: number,
  rowsEach: number,
): Promise<number> {
  const { service, sql, issuer } = options;
  service.signal('SIGSTOP');
  // Making the changes is not what is measured.
  await sql.query('SET synchronous_commit = off');
  await sql.query('CALL change_items($1, $2)', [transactions, rowsEach]);
  await sql.query('SET synchronous_commit = on');
  const startedAt = performance.now();
  service.signal('SIGCONT');
  const token = issuer.token('visitor');
  let reached: () => void = () => {};
  const done = new Promise<void>((resolve) => (reached = resolve));
  const answer = await fetch(`${service.url}/write-checkpoint2.json?client_id=bench-${rowsEach}`, {
    headers: { authorization: `Token ${token}` },
  });
  if (!answer.ok) throw new Error(`write-checkpoint2.json answered ${answer.status}`);
  const stream = await openStream(service, {
    token,
    accept: 'application/x-ndjson',
    clientId: `bench-${rowsEach}`,
    onChunk: (chunk) => {
      if (chunk.includes('"write_checkpoint"')) reached();
    },
  });
  await done;
  const elapsedMs = performance.now() - startedAt;
  stream.close();
  return (transactions * rowsEach * 1000) / elapsedMs;
}
