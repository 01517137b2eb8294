import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LocalPostgres } from '@sluice/local-postgres';
import { SeededRandom } from '@sluice/testing';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { OracleWorld } from './support/stream-oracle/oracle-world.ts';
import { randomTables } from './support/stream-oracle/random-schema.ts';
import { randomConfig } from './support/stream-oracle/random-streams.ts';

// The oracle for what a user may see is PostgreSQL: a stream stands for a plain SELECT. Schemas,
// streams (joins, subqueries, CTEs, OR, parameters), users and changes are random; after every
// checkpoint each user has the rows that the SELECTs gave at some commit, in the order of commits.

const SEED = Number(process.env['SLUICE_TEST_SEED'] ?? 20_261_125);
const ROUNDS = Number(process.env['SLUICE_TEST_ROUNDS'] ?? 4);
const CASES = Array.from(
  { length: ROUNDS },
  (_, round) => ({ round, edition: round % 2 === 0 ? 4 : 3 }) as const,
);

let postgres: LocalPostgres;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'sluice-oracle-'));
  postgres = await LocalPostgres.start({ dataDir: path.join(dir, 'postgres'), fast: true });
});

afterAll(async () => {
  await postgres.stop();
  await rm(dir, { recursive: true, force: true });
});

describe(`random streams (seed ${SEED})`, () => {
  test.each(CASES)(
    'give each user the rows of the SELECTs after every checkpoint (round $round, edition $edition)',
    async ({ round, edition }) => {
      const random = new SeededRandom(SEED + round);
      const tables = randomTables(random);
      const config = randomConfig(random, tables, edition);
      const database = `round_${round}`;
      await using world = await OracleWorld.create({
        postgres,
        dir,
        database,
        random,
        tables,
        config,
      });
      await world.run().catch((cause: unknown) => {
        throw new Error(`With seed ${SEED} in round ${round}:\n${config.yaml}`, { cause });
      });
    },
  );
});
