import type pg from 'pg';
import type { ServiceProcess } from '../../tests/support/service-process.ts';
import type { TokenIssuer } from '../../tests/support/tokens.ts';
import { DecodingLimit } from '../decoding-limit.ts';
import { openStream, type Figure } from '../harness.ts';

interface StreamingWorld {
  readonly service: ServiceProcess;
  readonly sql: pg.Client;
  readonly issuer: TokenIssuer;
  readonly databaseUrl: string;
}

/** Changes per second. */
interface Rates {
  readonly service: number;
  /** What the source gives to a reader that throws the same changes away. */
  readonly decoding: number;
}

/**
 * Row changes per second of a backlog: changes are made while the service process stands still
 * (SIGSTOP); then the time from when it goes on until a write checkpoint taken after the changes
 * arrives at a client. Each change is one op in each of two buckets.
 */
export async function measureStreaming(world: StreamingWorld): Promise<Figure[]> {
  await world.sql.query(`
    CREATE PROCEDURE change_items(transactions int, rows_each int) LANGUAGE plpgsql AS $$
    BEGIN
      FOR t IN 1..transactions LOOP
        INSERT INTO items SELECT gen_random_uuid(), 'owner-' || (t + i) % 1000, (t + i) % 50,
          'title ' || i || repeat(' lorem ipsum', 10), true, now() FROM generate_series(1, rows_each) AS i;
        COMMIT;
      END LOOP;
    END $$`);
  return [
    ...figures('1-row transactions', await rates(world, 60_000, 1)),
    ...figures('10,000-row transactions', await rates(world, 20, 10_000)),
  ];
}

function figures(what: string, { service, decoding }: Rates): Figure[] {
  const figure = (name: string, value: number): Figure => ({
    name,
    unit: 'changes/s',
    value,
    higherIsBetter: true,
  });
  return [
    figure(`streaming, ${what}`, service),
    figure(`limit: decoding of the same, ${what}`, decoding),
  ];
}

async function rates(
  world: StreamingWorld,
  transactions: number,
  rowsEach: number,
): Promise<Rates> {
  const { service, sql, databaseUrl } = world;
  const limit = new DecodingLimit(sql, databaseUrl);
  service.signal('SIGSTOP');
  await limit.open();
  // Making the changes is not what is measured.
  await sql.query('SET synchronous_commit = off');
  await sql.query('CALL change_items($1, $2)', [transactions, rowsEach]);
  await sql.query('SET synchronous_commit = on');
  const decodingMs = await limit.drain();
  const serviceMs = await drained(world, `bench-${rowsEach}`);
  const changes = transactions * rowsEach;
  return { service: (changes * 1000) / serviceMs, decoding: (changes * 1000) / decodingMs };
}

/** Milliseconds from when the service goes on until a client has what was changed before. */
async function drained({ service, issuer }: StreamingWorld, clientId: string): Promise<number> {
  const startedAt = performance.now();
  service.signal('SIGCONT');
  const token = issuer.token('visitor');
  let reached: () => void = () => {};
  const done = new Promise<void>((resolve) => (reached = resolve));
  const answer = await fetch(`${service.url}/write-checkpoint2.json?client_id=${clientId}`, {
    headers: { authorization: `Token ${token}` },
  });
  if (!answer.ok) throw new Error(`write-checkpoint2.json answered ${answer.status}`);
  const stream = await openStream(service, {
    token,
    accept: 'application/x-ndjson',
    clientId,
    onChunk: (chunk) => {
      if (chunk.includes('"write_checkpoint"')) reached();
    },
  });
  await done;
  const elapsedMs = performance.now() - startedAt;
  stream.close();
  return elapsedMs;
}
