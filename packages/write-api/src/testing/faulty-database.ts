import type { SeededRandom } from '@sluice/testing';
import type { WriteConnection, WriteDatabase } from '../postgres/write-database.ts';

/** What a run of statements is told, as `pg` tells it. */
interface Told {
  handleReadyForQuery(): void;
  handleError(error: Error): void;
}

/**
 * A database behind a bad network: some requests do not arrive, and of some that were carried out, the
 * COMMIT included, the answer is lost.
 */
export class FaultyDatabase implements WriteDatabase {
  readonly #database: WriteDatabase;
  readonly #random: SeededRandom;
  readonly #probability: number;
  lostRequests = 0;
  lostAnswers = 0;

  constructor(database: WriteDatabase, random: SeededRandom, probability: number) {
    this.#database = database;
    this.#random = random;
    this.#probability = probability;
  }

  connect(
    callback: (error: Error | undefined, connection: WriteConnection | undefined) => void,
  ): void {
    this.#database.connect((error, connection) => {
      callback(error, connection === undefined ? undefined : this.#faulty(connection));
    });
  }

  #faulty(connection: WriteConnection): WriteConnection {
    return {
      query: (submittable) => {
        const told = submittable as unknown as Told;
        const cut = () => told.handleError(new Error('Connection terminated unexpectedly'));
        if (this.#random.chance(this.#probability)) {
          this.lostRequests += 1;
          queueMicrotask(cut);
          return submittable;
        }
        if (this.#random.chance(this.#probability)) {
          this.lostAnswers += 1;
          told.handleReadyForQuery = cut;
        }
        return connection.query(submittable);
      },
      on: (event, listener) => connection.on(event, listener),
      removeListener: (event, listener) => connection.removeListener(event, listener),
      release: (destroy) => connection.release(destroy),
    };
  }
}
