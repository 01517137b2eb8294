import {
  AppError,
  ConfigError,
  SourceError,
  toAppError,
  type Clock,
  type Logger,
} from '@sluice/base';
import type { ChangeSource, SourceReplication } from '@sluice/source';
import type { BucketStorage, Generation, GenerationWriter } from '@sluice/storage';
import { compileSyncConfig, type SyncPlan } from '@sluice/sync-config';
import { chooseGenerations } from './choose-generations.ts';
import { GenerationReplicator } from './generation-replicator.ts';
import { DEFAULT_LIMITS, type ReplicationLimits } from './limits.ts';
import type { ReplicationStatus } from './status.ts';
import { valueOptions } from './value-options.ts';

export interface ReplicationOptions {
  readonly source: ChangeSource;
  readonly storage: BucketStorage;
  /** The sync config that is wanted (YAML). */
  readonly configText: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onStatus?: ((status: ReplicationStatus) => void) | undefined;
  readonly limits?: Partial<ReplicationLimits> | undefined;
}

/** Time for readers to leave a generation that has been replaced. */
const REMOVAL_GRACE_MS = 5_000;

/**
 * Replicates a source into storage until the signal aborts.
 *
 * Keeps the active generation up to date. When it was made from another sync config, or its place in
 * the change log is lost, a new generation is filled beside it and takes over when complete; then
 * the old one is removed, its slot too.
 *
 * @throws AppError whatever ended it; calling again continues from what is durable.
 * `CONFIG_SYNC_INVALID` when the config has errors and nothing is active.
 */
export async function runReplication(
  options: ReplicationOptions,
  signal: AbortSignal,
): Promise<void> {
  await new Replication(options).run(signal);
}

interface GenerationRound {
  readonly run: readonly Generation[];
  readonly remove: readonly Generation[];
  /** Whether one that runs takes over from the active one, which can be removed then. */
  readonly replaces: boolean;
}

class Replication {
  readonly #options: ReplicationOptions;
  readonly #limits: ReplicationLimits;
  readonly #unusable = new Set<number>();

  constructor(options: ReplicationOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
  }

  async run(signal: AbortSignal): Promise<void> {
    // Each round runs a fixed set of generations; it ends when that set must be chosen anew.
    while (!signal.aborted) {
      const { run, remove, replaces } = await this.#choose();
      const round = new AbortController();
      const both = AbortSignal.any([signal, round.signal]);
      const rechoose = (): void => round.abort();
      const tasks = [
        ...run.map((generation) => this.#runGeneration(generation, both, { replaces, rechoose })),
        ...remove.map((generation) => this.#remove(generation, both)),
      ];
      try {
        await Promise.all(tasks);
      } finally {
        round.abort();
        await Promise.allSettled(tasks);
      }
    }
  }

  /** Creates what is missing; says which generations to run and which to remove. */
  async #choose(): Promise<GenerationRound> {
    const { storage, clock, logger, configText } = this.#options;
    const stored = await storage.generations();
    const wanted = this.#wantedHash(stored);
    const choice = chooseGenerations(stored, wanted, this.#unusable);
    const run: Generation[] = [];
    for (const generation of [choice.active, choice.preparing]) {
      if (generation !== undefined && !this.#unusable.has(generation.id)) run.push(generation);
    }
    if (choice.create) {
      const created = await storage.createGeneration({
        configText,
        configHash: wanted,
        createdAtMs: clock.now(),
      });
      logger.info('generation_created', { generation: created.id });
      run.push(created);
    }
    // Also an active one that cannot be continued, and so does not run, has to be removed then.
    const replaces =
      choice.active !== undefined && (choice.create || choice.preparing !== undefined);
    return { run, remove: choice.remove, replaces };
  }

  /** Gives up a generation's place in the change log, then its data. */
  async #remove(generation: Generation, signal: AbortSignal): Promise<void> {
    const { storage, source, clock, logger } = this.#options;
    try {
      if (generation.sourceHandle) await source.dropReplication(generation.sourceHandle);
      if (generation.state === 'retired') await clock.sleep(REMOVAL_GRACE_MS, signal);
      await storage.deleteGeneration(generation.id, signal);
      logger.info('generation_removed', { generation: generation.id });
    } catch (error) {
      if (!signal.aborted) throw toAppError(error);
    }
  }

  /** The hash of the wanted config, or of the active one where the wanted one has errors. */
  #wantedHash(stored: readonly Generation[]): string {
    const { configText, source, logger } = this.#options;
    const { plan, diagnostics } = compileSyncConfig(configText, {
      defaultSchema: source.defaultSchema,
    });
    if (plan !== undefined) return plan.hash;
    const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error');
    const active = stored.find((generation) => generation.state === 'active');
    const message = `The sync config has ${errors.length} error(s): ${errors[0]?.message ?? ''}`;
    if (active === undefined) throw new ConfigError('CONFIG_SYNC_INVALID', message);
    logger.error('sync_config_invalid', { code: 'CONFIG_SYNC_INVALID', message });
    return active.configHash;
  }

  async #runGeneration(
    generation: Generation,
    signal: AbortSignal,
    round: { readonly replaces: boolean; readonly rechoose: () => void },
  ): Promise<void> {
    const { storage, source, logger } = this.#options;
    try {
      const plan = this.#planOf(generation);
      await using writer = await storage.openWriter(generation.id);
      await using replication = await this.#openReplication(generation, plan, writer);
      const replicator = new GenerationReplicator({
        generation,
        plan,
        source,
        replication,
        writer,
        limits: this.#limits,
        clock: this.#options.clock,
        logger,
        onStatus: this.#options.onStatus ?? (() => {}),
        onActivated: () => {
          logger.info('generation_activated', { generation: generation.id });
          if (round.replaces) round.rechoose();
        },
      });
      await replicator.run(signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof SourceError) || error.code !== 'SOURCE_SLOT_LOST') {
        throw toAppError(error);
      }
      logger.warn('generation_lost', { generation: generation.id, code: error.code });
      this.#unusable.add(generation.id);
      round.rechoose();
    }
  }

  async #openReplication(
    generation: Generation,
    plan: SyncPlan,
    writer: GenerationWriter,
  ): Promise<SourceReplication> {
    const { source, storage } = this.#options;
    const open = (handle: string | undefined): Promise<SourceReplication> =>
      source.openReplication({
        generationId: generation.id,
        handle,
        recordHandle: (created) => storage.setSourceHandle(generation.id, created),
        values: valueOptions(plan.options),
      });
    try {
      return await open(generation.sourceHandle);
    } catch (error) {
      // The handle may have been recorded and then not come into being; nothing depends on it yet.
      const { resume } = await writer.progress();
      const isLost = error instanceof SourceError && error.code === 'SOURCE_SLOT_LOST';
      if (isLost && resume === undefined) return open(undefined);
      throw error;
    }
  }

  #planOf(generation: Generation): SyncPlan {
    const { plan } = compileSyncConfig(generation.configText, {
      defaultSchema: this.#options.source.defaultSchema,
    });
    if (plan !== undefined) return plan;
    throw new AppError(
      'CONFIG_SYNC_INVALID',
      `The sync config of generation ${generation.id} no longer compiles`,
    );
  }
}
