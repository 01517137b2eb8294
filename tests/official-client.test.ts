import { SeededRandom } from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { forEachClient } from './support/clients/for-each-client.ts';
import type { PlatformChoice } from './support/clients/platforms.ts';
import { checksumFailures, type TestClient } from './support/clients/test-client.ts';
import {
  BUCKET_DEFINITIONS,
  CLIENT_QUERIES,
  ENTITLED,
  RandomWrites,
  SCHEMA_SQL,
  STREAMS,
  USERS,
} from './support/sample-world.ts';

const SEED = Number(process.env.SLUICE_TEST_SEED ?? 20261121);
const CHANGES = Number(process.env.SLUICE_TEST_CHANGES ?? 10_000);

const isNodeOverHttp = ({ client, transport }: PlatformChoice): boolean =>
  client === 'node' && transport === 'http';

describe.each([
  { dialect: 'sync streams', syncConfig: STREAMS, only: () => true },
  { dialect: 'bucket definitions', syncConfig: BUCKET_DEFINITIONS, only: isNodeOverHttp },
])('random changes of what $dialect sync', ({ syncConfig, only }) => {
  const options = {
    schema: SCHEMA_SQL,
    syncConfig,
    only,
    prepare: (sql: ConstructorParameters<typeof RandomWrites>[0]) =>
      new RandomWrites(sql, new SeededRandom(SEED)).seed(),
  };

  forEachClient(options, (world, choice) => {
    const [changes, kills] = isNodeOverHttp(choice) ? [CHANGES, 5] : [CHANGES / 4, 2];
    const clients = new Map<string, TestClient>();

    beforeAll(async () => {
      for (const user of USERS) clients.set(user, await world().open(user));
    });

    afterAll(() => clients.clear());

    /** Waits until every user's tables hold exactly what the equivalent SELECTs give. */
    async function expectConverged(timeoutMs: number): Promise<void> {
      for (const [user, client] of clients) {
        for (const [table, query] of Object.entries(ENTITLED)) {
          const source = `SELECT * FROM (${query}) AS q ORDER BY id COLLATE "C"`;
          const same = { client: `${CLIENT_QUERIES[table]} ORDER BY id`, source, values: [user] };
          await world().expectSame(client, same, timeoutMs);
        }
        expect(await checksumFailures(client)).toEqual([]);
      }
    }

    test(`end with the rows of the equivalent SELECTs after ${changes} of them and ${kills} kills (seed ${SEED})`, async () => {
      const { service, sql } = world();
      const writes = new RandomWrites(sql, new SeededRandom(SEED + 1));
      for (const client of clients.values()) await client.connect();
      let done = 0;
      for (let kill = 1; kill <= kills; kill += 1) {
        while (done < (changes * kill) / (kills + 1)) done += await writes.transaction();
        await service.stop('SIGKILL');
        for (let i = 0; i < 20; i += 1) done += await writes.transaction();
        service.start();
      }
      while (done < changes) done += await writes.transaction();
      await service.untilReady();
      await expectConverged(60_000);
    });

    test('give the same rows to a client that starts cold later', async () => {
      const warm = clients.get('cid');
      if (warm !== undefined) await world().close(warm);
      const cold = await world().open('cid', 'cold');
      clients.set('cid', cold);
      await cold.connect();
      await expectConverged(20_000);
    });
  });
});
