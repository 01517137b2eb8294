import { silentLogger, systemClock } from '@sluice/base';
import type { Checkpoint, SourcePosition } from '@sluice/model';
import type { BucketStorage } from '@sluice/storage';
import {
  MemoryDisk,
  MemoryStorage,
  SeededRandom,
  SimulatedDatabase,
  SimulatedSource,
} from '@sluice/testing';
import { createReplication, type Replication, type ReplicationOptions } from '../index.ts';
import { createTable, TABLES, writeSome, type DatabaseState } from './sample-streams.ts';

/** A simulated database, its history, and storage that outlives what runs on it. */
export class World {
  readonly random: SeededRandom;
  readonly database = new SimulatedDatabase();
  readonly source: SimulatedSource;
  readonly disk = new MemoryDisk();
  readonly #states: { position: SourcePosition; state: DatabaseState }[] = [];

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    for (const name of TABLES) createTable(this.database, name);
    this.source = new SimulatedSource(this.database, { random: this.random, chunkRows: 3 });
    this.#remember();
  }

  get state(): DatabaseState {
    const present = new Set(this.database.tables.map(({ name }) => name));
    const names = TABLES.filter((name) => present.has(name));
    return new Map(names.map((name) => [name, [...this.database.rows(name)]]));
  }

  write(transactions = 1): void {
    for (let i = 0; i < transactions; i += 1) {
      writeSome(this.database, this.random);
      this.#remember();
    }
  }

  /** Something that the change log does not tell of: tables come, go and change names. */
  alterSomeTable(): void {
    const { random, database } = this;
    const name = random.pick(TABLES);
    const present = new Set(database.tables.map((table) => table.name));
    const away = `${name}_old`;
    if (!present.has(name)) {
      if (present.has(away) && random.chance(0.7)) database.renameTable(away, name);
      else createTable(database, name);
    } else if (random.chance(0.3)) database.dropTable(name);
    else if (!present.has(away)) database.renameTable(name, away);
    this.#remember();
  }

  #remember(): void {
    this.#states.push({ position: this.database.head, state: this.state });
  }

  /** The database as it was at a position. */
  stateAt({ position }: Checkpoint): DatabaseState {
    const before = this.#states.filter((one) => one.position <= position);
    return before.at(-1)?.state ?? new Map<string, never>();
  }

  /** Gives way to what else is under way for some random time. */
  async pause(maxTurns = 30): Promise<void> {
    for (let turns = this.random.int(maxTurns); turns > 0; turns -= 1) await turn();
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export async function until(what: string, check: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`Timed out: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

type Options = Pick<ReplicationOptions, 'configText'> & Partial<ReplicationOptions>;

/** Runs replication while `work` does, and stops it as a crash between two batches would. */
export async function running(
  world: World,
  options: Options,
  work: (replication: Replication, storage: BucketStorage) => Promise<void>,
): Promise<void> {
  await using own = new MemoryStorage(world.disk);
  const storage = options.storage ?? own;
  const replication = createReplication({
    source: world.source,
    clock: systemClock,
    logger: silentLogger,
    ...options,
    storage,
  });
  const stop = new AbortController();
  const run = replication.run(stop.signal);
  try {
    await Promise.race([work(replication, storage), run]);
  } finally {
    stop.abort();
    await run;
  }
}
