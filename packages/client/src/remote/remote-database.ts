import { DatabaseClosedError } from '../errors.ts';
import { AppDatabase, type AppDatabaseOptions } from '../facade/app-database.ts';
import type { IntegerMode } from '../driver/integer-mode.ts';
import type { Channel } from './channel.ts';
import { ChannelClosed } from './peer.ts';
import { RemoteEngine, type RemoteEngineOptions } from './remote-engine.ts';

export interface RemoteDatabaseOptions extends RemoteEngineOptions {
  /** Mistakes of the app, like rows with the same key in a live query, are reported as errors. */
  readonly development?: boolean | undefined;
  /** The schema's; `auto` if left out. */
  readonly integerMode?: IntegerMode | undefined;
}

/** A database that another thread serves (`DatabaseHost`); live queries and connectors are on this one. */
export class RemoteDatabase extends AppDatabase {
  readonly #engine: RemoteEngine;

  /** @throws what the host refuses by; DatabaseClosedError if the channel closes */
  static async open(channel: Channel, options: RemoteDatabaseOptions): Promise<RemoteDatabase> {
    const engine = new RemoteEngine(options);
    try {
      await engine.link(channel);
    } catch (error) {
      await engine.close();
      throw error instanceof ChannelClosed ? new DatabaseClosedError({ cause: error }) : error;
    }
    return new RemoteDatabase(engine, { ...options, integerMode: options.integerMode ?? 'auto' });
  }

  private constructor(engine: RemoteEngine, options: AppDatabaseOptions) {
    super(engine, options);
    this.#engine = engine;
  }

  /**
   * Goes on with another host, which has the same database. Calls without an answer are asked again; those that write were done once,
   * whichever host did them. A transaction that was open rejects with ClientError `ROLLED_BACK`.
   *
   * @throws what the host refuses by; ClientError `CHANNEL_CLOSED`, after which another one may be given; DatabaseClosedError
   */
  async replaceChannel(channel: Channel): Promise<void> {
    await this.#engine.link(channel);
  }
}
