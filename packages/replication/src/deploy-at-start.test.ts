import { expect, test } from 'vitest';
import { silentLogger } from '@sluice/base';
import {
  FakeClock,
  MemoryDisk,
  MemoryStorage,
  SeededRandom,
  settle,
  SimulatedDatabase,
  SimulatedSource,
} from '@sluice/testing';
import { createReplication } from './create-replication.ts';

const CONFIG = 'config: { edition: 3 }\nstreams: { lists: { query: SELECT * FROM lists } }';

test.each([0, 1, 2, 3, 4, 5, 6, 8, 12, 20])(
  'a first deploy is met however early it comes: %i turns after the start',
  async (turns) => {
    const database = new SimulatedDatabase();
    database.createTable('lists', ['id', 'name']);
    const random = new SeededRandom(1);
    await using storage = new MemoryStorage(new MemoryDisk());
    const replication = createReplication({
      source: new SimulatedSource(database, { random, chunkRows: 10 }),
      storage,
      configText: undefined,
      clock: new FakeClock(),
      logger: silentLogger,
    });
    const stop = new AbortController();
    const ended = replication.run(stop.signal);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    let outcome: unknown;
    void replication.deploy(CONFIG).then((met) => (outcome = met));
    for (let i = 0; i < 20 && outcome === undefined; i++) await settle();
    expect(outcome).toMatchObject({ filled: ['lists'], serves: false });
    stop.abort();
    await ended;
  },
);
