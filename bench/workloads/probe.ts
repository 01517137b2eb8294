import { Crowd } from '../crowd/crowd.ts';
import { machineMs } from '../process-figures.ts';
import type { HubWorld } from './hub-world.ts';

const EVERY_MS = 20;
/** A commit may wait behind a transaction of a gigabyte. */
const LIMIT_MS = 600_000;

/** A client that waits for changes of its own while something else goes on. User `user-0`. */
export class Probe implements AsyncDisposable {
  readonly #world: HubWorld;
  readonly #crowd = new Crowd();

  private constructor(world: HubWorld) {
    this.#world = world;
  }

  static async start(world: HubWorld, token: string): Promise<Probe> {
    const probe = new Probe(world);
    await probe.#crowd.connect({ port: world.service.port, tokens: [token] });
    await probe.#once();
    return probe;
  }

  /** Milliseconds from each commit to the client, from before `work` begins until it has ended. */
  async measure(work: () => Promise<void>): Promise<readonly number[]> {
    const times: number[] = [await this.#once()];
    let isOver = false;
    const working = work().finally(() => (isOver = true));
    working.catch(() => {}); // awaited below
    do {
      times.push(await this.#once());
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    } while (!isOver);
    await working;
    return times;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#crowd[Symbol.asyncDispose]();
  }

  async #once(): Promise<number> {
    const marker = `probe-${machineMs()}-`;
    await this.#crowd.watch(marker);
    await this.#world.sql.query(`INSERT INTO notes (owner, body) VALUES ('user-0', $1)`, [marker]);
    const committedAt = machineMs();
    const [arrivedAt = Number.NaN] = await this.#crowd.arrivals(1, LIMIT_MS);
    return arrivedAt - committedAt;
  }
}
