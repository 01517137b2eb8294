import { AppError, type Clock, type Logger } from '@sluice/base';
import type { SourcePosition } from '@sluice/model';
import type { ChangeSource, SourceReplication } from '@sluice/source';
import type { GenerationConfigs } from '@sluice/storage';
import type { BatchWriter } from './batch-writer.ts';
import type { ChangeStream } from './change-stream.ts';
import { plannedConfigs, type PlanOf } from './config-set.ts';
import { configsAfter, droppedPrefixes, type ConfigEvent } from './configs/config-changes.ts';
import type { EventApplier } from './event-applier.ts';
import { fillsOf, type Fill, type PlannedConfig } from './fills.ts';
import type { PendingWork } from './pending-work.ts';
import type { TableChanges } from './table-changes.ts';
import type { TableRegistry } from './table-registry.ts';

export interface ConfigSwitcherOptions {
  readonly configs: GenerationConfigs;
  readonly planOf: PlanOf;
  readonly registry: TableRegistry;
  readonly work: PendingWork;
  readonly tables: TableChanges;
  readonly batches: BatchWriter;
  readonly events: EventApplier;
  readonly stream: ChangeStream;
  readonly source: Pick<ChangeSource, 'head' | 'mark'>;
  readonly replication: Pick<SourceReplication, 'listTables'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly rollbackKeepMs: number;
}

/** What an event made of the configs. */
export interface ConfigChange {
  readonly before: GenerationConfigs;
  readonly after: GenerationConfigs;
}

interface ChangeRequest {
  readonly event: ConfigEvent;
  readonly configFile: string | undefined;
  readonly resolve: (change: ConfigChange) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Follows the configs of a generation: takes up others between two source transactions, and makes
 * the next one serve with the first checkpoint at which it can be shown.
 */
export class ConfigSwitcher {
  readonly #options: ConfigSwitcherOptions;
  readonly #requests: ChangeRequest[] = [];
  #configs: GenerationConfigs;
  #planned: readonly PlannedConfig[];
  #hasEnded = false;
  /** The next config does not take over before the stream has passed this. */
  #switchNotBefore: SourcePosition = '';

  constructor(options: ConfigSwitcherOptions) {
    this.#options = options;
    this.#configs = options.configs;
    this.#planned = plannedConfigs(options.configs, options.planOf);
    options.registry.setFills(fillsOf(this.#planned));
  }

  /** The configs that are evaluated, the serving one first. */
  get planned(): readonly PlannedConfig[] {
    return this.#planned;
  }
  get isFilling(): boolean {
    return this.#configs.next !== undefined;
  }

  /** @throws AppError `REPLICATION_STOPPED` when `end` comes before it is met. */
  request(event: ConfigEvent, configFile: string | undefined): Promise<ConfigChange> {
    if (this.#hasEnded) return Promise.reject(stopped());
    return new Promise((resolve, reject) => {
      this.#requests.push({ event, configFile, resolve, reject });
    });
  }

  /** Refuses what has not been met. */
  end(): void {
    this.#hasEnded = true;
    for (const { reject } of this.#requests) reject(stopped());
  }

  /** Tables were listed when the source stood at `head`: what is filled is right from there on. */
  noteListed(head: SourcePosition): void {
    this.#switchNotBefore = head;
  }

  /** The config that a checkpoint now would show; undefined when there must be none. */
  publishable(): 'serving' | 'next' | undefined {
    const { work, batches, registry } = this.#options;
    const { isBetweenTransactions, position } = work.buffer;
    if (!isBetweenTransactions || position === '') return undefined;
    if (position < batches.resume.notBefore) return undefined;
    const maySwitch =
      batches.isActive &&
      position >= this.#switchNotBefore &&
      this.#planned.some(({ role }) => role === 'next');
    if (maySwitch && registry.isComplete('next', position)) return 'next';
    return registry.isComplete('serving', position) ? 'serving' : undefined;
  }

  get isSwitchDue(): boolean {
    return this.#configs.next !== undefined && this.publishable() === 'next';
  }

  /** Writes what is pending, together with the switch to the next config. */
  async switch(): Promise<void> {
    const { batches, clock, logger } = this.#options;
    const configs = configsAfter(this.#configs, { kind: 'filled' }, true);
    batches.remember({ switchedAtMs: clock.now() });
    const fills = await this.#write(configs, true);
    logger.info('sync_config_switched', { hash: configs.serving.hash });
    await this.#adopt(fills);
  }

  /** Meets requests, and gives up the previous config in time; only between source transactions. */
  async changeWhenDue(): Promise<void> {
    const { work, clock, batches, rollbackKeepMs } = this.#options;
    for (;;) {
      if (!work.buffer.isBetweenTransactions) return;
      const [request] = this.#requests;
      if (request === undefined) break;
      await this.#meet(request);
      this.#requests.shift();
    }
    const keptMs = clock.now() - batches.resume.switchedAtMs;
    if (this.#configs.previous === undefined || keptMs < rollbackKeepMs) return;
    const configs = configsAfter(this.#configs, { kind: 'keep-over' }, true);
    await this.#adopt(await this.#write(configs, false));
  }

  async #meet({ event, configFile, resolve }: ChangeRequest): Promise<void> {
    const { batches, events } = this.#options;
    const before = this.#configs;
    const after = configsAfter(before, event, batches.isActive);
    if (configFile !== undefined) batches.remember({ configFile });
    try {
      if (after === before && configFile === undefined) return;
      await events.reread();
      await this.#adopt(await this.#write(after, false));
      if (this.isSwitchDue) await this.switch();
    } finally {
      // A failure after the configs were written changes nothing of that.
      if (after === before || this.#configs !== before) resolve({ before, after: this.#configs });
    }
  }

  /** Writes other configs, together with what is to be discarded because of them. */
  async #write(configs: GenerationConfigs, publishes: boolean): Promise<readonly Fill[]> {
    const { registry, batches, work, planOf } = this.#options;
    const planned = plannedConfigs(configs, planOf);
    const fills = fillsOf(planned);
    const orphans = registry.orphansOf(fills);
    batches.addDiscarded({
      prefixes: droppedPrefixes(this.#configs, configs),
      tables: orphans.map(({ id }) => id),
    });
    await batches.write({ publishes, configs });
    this.#configs = configs;
    this.#planned = planned;
    for (const orphan of orphans) work.dropState(orphan);
    return fills;
  }

  /** Goes on with the fills that the configs have now; the tables of new ones are listed and read. */
  async #adopt(fills: readonly Fill[]): Promise<void> {
    const { registry, batches, tables, stream, work, replication, source } = this.#options;
    const isNew = registry.setFills(fills);
    await batches.discardSome();
    if (isNew) {
      const found = await replication.listTables(registry.patterns);
      this.noteListed(await source.head());
      tables.adoptForNewFills(found);
      await source.mark();
    }
    const { patterns } = registry;
    if (!stream.asksFor(patterns)) stream.startAfter(work.buffer.position, patterns);
  }
}

function stopped(): AppError {
  return new AppError('REPLICATION_STOPPED', 'Replication ended before the request was met');
}
