import {
  DatabaseHost,
  portChannel,
  type Channel,
  type ClientClock,
  type CompiledSchema,
  type Platform,
} from '@sluice/client';
import type { SqliteModule } from '../sqlite/sqlite-module.ts';
import type { DatabaseFolder } from '../storage/opfs-folder.ts';
import { openStoredDatabase, type StoredDatabase } from '../storage/stored-database.ts';
import { broadcastLink, type BroadcastLike } from '../tabs/broadcast-link.ts';
import type { ControlMessage, Join } from '../tabs/messages.ts';
import { leaderName, type TabNames } from '../tabs/names.ts';

/** The part of the platform's LockManager that is used. */
interface Locks {
  request<T>(
    name: string,
    options: { readonly signal?: AbortSignal },
    body: () => Promise<T>,
  ): Promise<T>;
}

export interface LeaderOptions {
  /** Names this worker. */
  readonly worker: string;
  readonly names: TabNames;
  readonly openedAt: number;
  readonly schema: CompiledSchema;
  readonly module: SqliteModule;
  readonly openFolder: () => Promise<DatabaseFolder>;
  readonly platform: Omit<Platform, 'openWriter' | 'openReader' | 'onProblem'>;
  readonly cacheBytes: number | undefined;
  readonly locks: Locks;
  readonly openBroadcast: (name: string) => BroadcastLike;
  readonly clock: ClientClock;
  readonly say: (message: ControlMessage) => void;
  /** A problem of which no tab can be told, as none is served yet. */
  readonly onProblem: (problem: unknown) => void;
}

/** A database that is open here, under one leader's name. */
interface Term {
  readonly name: string;
  readonly stored: StoredDatabase;
  readonly host: DatabaseHost;
}

/**
 * Owns the database's files, and serves it to all tabs. One worker at a time is it: who has the leader's lock. A tab lives as long as
 * its lock is held.
 */
export class Leader {
  readonly #options: LeaderOptions;
  readonly #ending = new AbortController();
  readonly #links = new Map<string, Channel>();
  #schema: CompiledSchema;
  #schemaOpenedAt: number;
  #terms = 0;
  #term: Term | undefined;
  #opening: Promise<void> = Promise.resolve();

  constructor(options: LeaderOptions) {
    this.#options = options;
    this.#schema = options.schema;
    this.#schemaOpenedAt = options.openedAt;
  }

  /**
   * Waits for the lock, opens the database, and serves it until `end`.
   *
   * @throws what opening throws; the lock is free then
   */
  async run(): Promise<void> {
    const { locks, names } = this.#options;
    const { signal } = this.#ending;
    const ended = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    try {
      await locks.request(names.leaderLock, { signal }, async () => {
        this.#opening = this.#open(false);
        await this.#opening;
        await ended;
        await this.#opening;
        await this.#close();
      });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Closes the database; `run` resolves when that is done. */
  end(): void {
    this.#ending.abort();
  }

  hear(message: ControlMessage): void {
    switch (message.kind) {
      case 'who':
        return this.#announce();
      case 'hint':
        return this.#term?.stored.engine.hint();
      case 'join': {
        const { names, openBroadcast } = this.#options;
        const name = names.link(message.leader, message.tab);
        return this.#join(message, () => broadcastLink(openBroadcast(name), 'leader'));
      }
      case 'leads':
    }
  }

  /** A tab of this worker's own page comes by its own port. */
  joinByPort(join: Join, port: MessagePort): void {
    this.#join(join, () => portChannel(port));
  }

  #join(join: Join, open: () => Channel): void {
    const term = this.#term;
    if (term === undefined || term.name !== join.leader) return;
    this.#serve(term, join, open).catch(this.#options.onProblem);
  }

  async #serve(term: Term, join: Join, open: () => Channel): Promise<void> {
    this.#links.get(join.tab)?.close();
    await this.#useNewerSchema(term, join);
    if (this.#term !== term) return;
    const channel = open();
    this.#links.set(join.tab, channel);
    const gone = new AbortController();
    channel.onClose(() => {
      gone.abort();
      if (this.#links.get(join.tab) === channel) this.#links.delete(join.tab);
    });
    term.host.serve(channel);
    await this.#closeWithTab(join.tab, channel, gone.signal);
  }

  /** Who gets the tab's lock knows that the tab is gone. */
  async #closeWithTab(tab: string, channel: Channel, signal: AbortSignal): Promise<void> {
    const { locks, names } = this.#options;
    try {
      await locks.request(names.tabLock(tab), { signal }, async () => channel.close());
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Several versions of an app may be open: the one that was loaded last says which tables there are. */
  async #useNewerSchema({ stored }: Term, { openedAt, schema }: Join): Promise<void> {
    if (openedAt <= this.#schemaOpenedAt) return;
    this.#schemaOpenedAt = openedAt;
    this.#schema = schema;
    if (JSON.stringify(schema) === JSON.stringify(stored.engine.schema)) return;
    await stored.engine.updateSchema(schema);
  }

  async #open(isDamaged: boolean): Promise<void> {
    const { worker, module, openFolder, cacheBytes, platform, clock } = this.#options;
    const name = leaderName(worker, (this.#terms += 1));
    const stored = await openStoredDatabase({
      module,
      openFolder,
      schema: this.#schema,
      platform: { ...platform, onProblem: (problem) => this.#report(problem) },
      cacheBytes,
      isDamaged,
      onDamage: () => this.#openAnew(),
    });
    const host = new DatabaseHost(stored.engine, { clock, closes: 'channel' });
    this.#term = { name, stored, host };
    this.#announce();
  }

  /** Tabs lose their channels, and find the new one under a new name. */
  #openAnew(): void {
    this.#opening = this.#opening
      .then(async () => {
        await this.#close();
        if (!this.#ending.signal.aborted) await this.#open(true);
      })
      .catch(this.#options.onProblem);
  }

  async #close(): Promise<void> {
    const term = this.#term;
    this.#term = undefined;
    await term?.stored.close();
  }

  #announce(): void {
    if (this.#term === undefined) return;
    const { name, stored } = this.#term;
    this.#options.say({ kind: 'leads', leader: name, storage: stored.storage });
  }

  #report(problem: unknown): void {
    const host = this.#term?.host;
    if (host !== undefined && host.size > 0) host.report(problem);
    else this.#options.onProblem(problem);
  }
}
