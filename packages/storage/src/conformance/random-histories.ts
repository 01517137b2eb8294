import { must } from '@sluice/base';
import type { Checkpoint, RowOutput } from '@sluice/model';
import { SeededRandom } from '@sluice/testing';
import { describe, expect, test } from 'vitest';
import type { RowChange } from '../contract.ts';
import { BucketClient } from './bucket-client.ts';
import { Session, withSession } from './session.ts';
import { SourceModel } from './source-model.ts';
import type { StorageTarget } from './target.ts';

const BUCKETS = ['b0', 'b1', 'b2'];
const ROUNDS = 5;
const MAX_OFFLINE = 9;

export function describeRandomHistories(target: StorageTarget): void {
  describe('random histories', () => {
    for (let seed = 1; seed <= (target.histories ?? 20); seed++) {
      test(`seed ${seed}: clients at every position hold what the source held`, () =>
        withSession(target, async (session) => {
          const other = await Session.on(session.storage);
          const random = new SeededRandom(seed);
          const histories = [new History(session, random), new History(other, random)];
          for (let round = 0; round < ROUNDS; round++) {
            for (const history of histories) await history.round();
          }
          await other.writer[Symbol.asyncDispose]();
          await other.reader[Symbol.asyncDispose]();
        }));
    }
  });
}

/** One generation, its model, and clients that stopped at every checkpoint so far. */
class History {
  readonly #session: Session;
  readonly #random: SeededRandom;
  readonly #model = new SourceModel();
  /** Clients that were up to date once and have not been heard of since. */
  readonly #offline: BucketClient[] = BUCKETS.map((bucket) => new BucketClient(bucket));
  /** Clients in the middle of a download. */
  #busy: BucketClient[] = [];
  readonly #checkpoints: Checkpoint[] = [];

  constructor(session: Session, random: SeededRandom) {
    this.#session = session;
    this.#random = random;
  }

  async round(): Promise<void> {
    for (let commits = 1 + this.#random.int(3); commits > 0; commits--) await this.#commit();
    await this.#check();
    await this.#startDownloads();
    if (this.#random.int(3) === 0) await this.#commit();
    if (this.#random.int(4) > 0) await this.#session.compact();
    await this.#check();
    await this.#checkChecksums();
  }

  async #commit(): Promise<void> {
    const random = this.#random;
    const batch = () => Array.from({ length: 1 + random.int(8) }, () => randomChange(random));
    const [early, late] = [random.int(3) === 0 ? batch() : [], batch()];
    if (early.length > 0) await this.#session.write(early);
    this.#checkpoints.push(await this.#session.commit(late));
    for (const change of [...early, ...late]) this.#model.apply(change);
    const now = must(this.#checkpoints.at(-1));
    for (const bucket of BUCKETS) {
      const client = await new BucketClient(bucket).download(this.#session.reader, now.opId);
      // Beside the ones that begin from nothing, a sample of all positions.
      const place = BUCKETS.length + random.int(MAX_OFFLINE);
      if (this.#offline.length < BUCKETS.length + MAX_OFFLINE) this.#offline.push(client);
      else this.#offline[place] = client;
    }
  }

  async #startDownloads(): Promise<void> {
    const now = must(this.#checkpoints.at(-1));
    const from = [...this.#offline.slice(0, BUCKETS.length), this.#pick(), this.#pick()];
    for (const one of from) {
      const client = one.clone();
      await client.step(this.#session.reader, now.opId, 1 + this.#random.int(300));
      this.#busy.push(client);
    }
  }

  #pick(): BucketClient {
    return must(this.#offline[this.#random.int(this.#offline.length)]);
  }

  /** Every client, brought to the newest checkpoint, holds what the model says. */
  async #check(): Promise<void> {
    const now = must(this.#checkpoints.at(-1));
    const { reader } = this.#session;
    for (const one of [...this.#offline, ...this.#busy]) {
      const client = one.clone();
      await client.download(reader, now.opId, 1 + this.#random.int(1000));
      await client.verify(reader, now.opId);
      const puts = client.replica.puts();
      const content = puts.map((put) => `${put.objectType}/${put.objectId}=${put.data}`);
      expect(content.toSorted()).toEqual(this.#model.contentOf(client.bucket));
    }
    this.#busy = this.#busy.slice(-4);
  }

  /** A complete download at an older checkpoint has the sum that the state announces. */
  async #checkChecksums(): Promise<void> {
    const { reader } = this.#session;
    for (const { opId } of this.#checkpoints) {
      const states = await reader.bucketStates(BUCKETS, opId);
      for (const [at, bucket] of BUCKETS.entries()) {
        const state = must(states[at]);
        const client = await new BucketClient(bucket).download(reader, opId);
        if (state.requiresCheckpoint > opId) continue;
        expect(client.replica.checksum).toBe(state.checksum);
      }
    }
  }
}

function randomChange(random: SeededRandom): RowChange {
  const tableId = 1 + random.int(2);
  const key = `k${random.int(7)}`;
  const ref = { tableId, key };
  const dice = random.int(20);
  if (dice === 0) return { kind: 'truncate', tableId };
  if (dice === 1) return { kind: 'drop-tombstones', tableId };
  if (dice < 6) return { kind: 'delete', ...ref, tombstone: random.int(3) === 0 };
  const outputs = Array.from({ length: 1 + random.int(2) }, () => randomOutput(random, key));
  return { kind: 'put', ...ref, row: { outputs, lookups: [] }, ifAbsent: random.int(4) === 0 };
}

function randomOutput(random: SeededRandom, key: string): RowOutput {
  return {
    objectType: `t${random.int(2)}`,
    objectId: random.int(3) === 0 ? `other${random.int(3)}` : key,
    data: `{"v":${random.int(4)},"pad":"${'x'.repeat(random.int(60))}"}`,
    buckets: BUCKETS.filter(() => random.int(2) === 0),
  };
}
