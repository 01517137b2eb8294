import type { ClientClock } from '../clock.ts';
import type { DatabaseEngine } from '../facade/database-engine.ts';
import type { Channel } from './channel.ts';
import { Connectors } from './connectors.ts';
import { toPlainError } from './plain-error.ts';
import { MAX_SILENCE_MS } from './protocol.ts';
import { ServedApp } from './served-app.ts';

export interface DatabaseHostOptions {
  readonly clock: ClientClock;
  /** What `close` of an app ends: its channel alone, or the database with all of them. */
  readonly closes: 'channel' | 'database';
  /** How long an app with an open transaction may say nothing, e.g. as its page is frozen, until it is rolled back. */
  readonly maxSilenceMs?: number;
}

/** Serves one database to apps on other threads, each over its own channel, until it is closed. */
export class DatabaseHost {
  readonly #engine: DatabaseEngine;
  readonly #options: DatabaseHostOptions;
  readonly #connectors: Connectors;
  readonly #apps = new Set<ServedApp>();

  constructor(engine: DatabaseEngine, options: DatabaseHostOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#connectors = new Connectors(engine, {
      clock: options.clock,
      onProblem: (problem) => this.report(problem),
    });
    engine.closing.addEventListener('abort', () => this.#closeAll(), { once: true });
  }

  /** How many channels are open. */
  get size(): number {
    return this.#apps.size;
  }

  /** Until the channel closes. */
  serve(channel: Channel): void {
    if (this.#engine.closing.aborted) {
      channel.close();
      return;
    }
    const { clock, closes, maxSilenceMs = MAX_SILENCE_MS } = this.#options;
    const app: ServedApp = new ServedApp(channel, {
      engine: this.#engine,
      connectors: this.#connectors,
      clock,
      maxSilenceMs,
      onProblem: (problem) => this.report(problem),
      onClose: () => (closes === 'database' ? this.#engine.close() : Promise.resolve()),
      onGone: () => this.#apps.delete(app),
    });
    this.#apps.add(app);
  }

  /** For `Platform.onProblem`: tells every app. */
  report(problem: unknown): void {
    const event = { kind: 'problem', error: toPlainError(problem) } as const;
    for (const app of this.#apps) app.tell(event);
  }

  #closeAll(): void {
    for (const app of Array.from(this.#apps)) {
      // Who asked for it has its answer to come.
      if (!app.isLeaving) app.close();
    }
  }
}
