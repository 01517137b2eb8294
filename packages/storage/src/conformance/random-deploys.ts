import { must } from '@sluice/base';
import { SeededRandom } from '@sluice/testing';
import { describe, expect, test } from 'vitest';
import type { Discarded, RowChange } from '../contract.ts';
import { BucketClient } from './bucket-client.ts';
import { type Session, storedConfig, withSession } from './session.ts';
import { SourceModel } from './source-model.ts';
import type { StorageTarget } from './target.ts';

const DEFINITIONS = ['a', 'b', 'c'];
const STEPS = 40;
const KEYS = 7;

/** Histories in which definitions are filled anew again and again, and what they were goes. */
export function describeRandomDeploys(target: StorageTarget): void {
  describe('random deploys', () => {
    for (let seed = 1; seed <= (target.histories ?? 20) / 2; seed++) {
      test(`seed ${seed}: kept buckets hold what the source held, and go on for their clients`, () =>
        withSession(target, async (session) => {
          const history = await History.begin(session, new SeededRandom(seed));
          for (let step = 0; step < STEPS; step++) await history.step();
          await history.check();
        }));
    }
  });
}

/** One definition as it is filled now. */
interface Filled {
  readonly prefix: string;
  /** A table that only this definition reads. */
  readonly ownTable: number;
}

class History {
  readonly #session: Session;
  readonly #random: SeededRandom;
  readonly #model = new SourceModel();
  readonly #filled = new Map<string, Filled>();
  /** Stand anywhere in a kept bucket, and are brought up to date now and then. */
  #clients: BucketClient[] = [];
  #pending: Discarded | undefined;
  readonly #discarded: string[] = [];
  #lastTable = 1;

  private constructor(session: Session, random: SeededRandom) {
    this.#session = session;
    this.#random = random;
  }

  static async begin(session: Session, random: SeededRandom): Promise<History> {
    const history = new History(session, random);
    for (const definition of DEFINITIONS) await history.#fill(definition);
    await history.#commit();
    return history;
  }

  async step(): Promise<void> {
    const dice = this.#random.int(12);
    if (dice < 6) await this.#commit();
    else if (dice < 7) await this.#session.compact();
    else if (dice < 9) await this.#discardSome();
    else if (dice < 10) await this.#deploy();
    else await this.check();
  }

  /** Every client of a bucket that is there holds, brought up to date, what the model says. */
  async check(): Promise<void> {
    const { opId } = must(this.#session.reader.checkpoint());
    const fresh = this.#buckets().map((bucket) => new BucketClient(bucket));
    for (const client of [...this.#clients, ...fresh]) {
      await client.download(this.#session.reader, opId, 1 + this.#random.int(1000));
      await client.verify(this.#session.reader, opId);
      const content = client.replica
        .puts()
        .map((op) => `${op.objectType}/${op.objectId}=${op.data}`);
      expect(content.toSorted()).toEqual(this.#model.contentOf(client.bucket));
    }
    this.#clients = [...this.#clients, ...fresh].slice(-20);
  }

  /** Puts another prefix in the place of one, and fills it; the old one is to be discarded. */
  async #deploy(): Promise<void> {
    if (this.#pending !== undefined) return;
    const definition = this.#random.pick(DEFINITIONS);
    const old = must(this.#filled.get(definition));
    await this.#fill(definition);
    const prefixes = [...this.#filled].map(([name, { prefix }]) => [name, prefix] as const);
    const serving = storedConfig('deployed', Object.fromEntries(prefixes));
    await this.#session.write([], { configs: { serving } });
    const stored = (await this.#session.storage.generations())[0];
    expect(stored?.configs.serving).toEqual(serving);
    this.#pending = { prefixes: [old.prefix], tables: [old.ownTable] };
    this.#model.discard(this.#pending);
    this.#clients = this.#clients.filter((client) => !client.bucket.startsWith(old.prefix));
    await this.#discardSome();
  }

  /** Every row is evaluated again: what is in kept buckets stays there without operations. */
  async #fill(definition: string): Promise<void> {
    // Now and then a name that was there before, which a fill number would not give.
    const again = this.#random.chance(0.3) ? this.#discarded.pop() : undefined;
    const prefix = again ?? `${definition}.${await this.#session.storage.takeFillNumber()}#`;
    this.#lastTable += 1;
    this.#filled.set(definition, { prefix, ownTable: this.#lastTable });
  }

  async #discardSome(): Promise<void> {
    if (this.#pending === undefined) return;
    const maxMs = this.#random.int(2);
    const { more } = await this.#session.writer.discard(this.#pending, { maxMs });
    if (more) return;
    this.#discarded.push(...this.#pending.prefixes);
    this.#pending = undefined;
  }

  async #commit(): Promise<void> {
    const changes = Array.from({ length: 1 + this.#random.int(8) }, () => this.#change());
    await this.#session.commit(changes);
    for (const change of changes) this.#model.apply(change);
  }

  #change(): RowChange {
    const random = this.#random;
    const own = random.chance(0.3) ? random.pick([...this.#filled.values()]) : undefined;
    const ref = { tableId: own?.ownTable ?? 1, key: `k${random.int(KEYS)}` };
    const dice = random.int(20);
    if (dice === 0) return { kind: 'truncate', tableId: ref.tableId };
    if (dice < 5) return { kind: 'delete', ...ref };
    const choice = own ? bucketsOf(own.prefix) : this.#buckets();
    const buckets = choice.filter(() => random.chance(0.5));
    const data = `{"v":${random.int(4)},"pad":"${'x'.repeat(random.int(60))}"}`;
    const outputs = [{ objectType: 't', objectId: ref.key, data, buckets }];
    return { kind: 'put', ...ref, row: { outputs, lookups: [] } };
  }

  #buckets(): string[] {
    return [...this.#filled.values()].flatMap(({ prefix }) => bucketsOf(prefix));
  }
}

function bucketsOf(prefix: string): string[] {
  return [`${prefix}x[]`, `${prefix}y["%"]`];
}
