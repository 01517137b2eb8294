import {
  failureFacts,
  pause,
  SourceError,
  toAppError,
  type Clock,
  type Logger,
} from '@sluice/base';
import type { ChangeSource, SourceReplication } from '@sluice/source';
import type { BucketStorage, Generation, WriterProgress } from '@sluice/storage';
import type { ConfigCompiler } from './config-compiler.ts';
import { GenerationReplicator } from './generation-replicator.ts';
import type { ReplicationLimits } from './limits.ts';
import type { ReplicationStatus } from './status.ts';
import { valueOptions } from './value-options.ts';

export interface GenerationRunOptions {
  readonly storage: BucketStorage;
  readonly source: ChangeSource;
  readonly compiler: ConfigCompiler;
  readonly limits: ReplicationLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly configFile: string | undefined;
  /** Whether what the generation fills for its next config is not wanted any more. */
  readonly callsOffNext: boolean;
  readonly onStatus: (status: ReplicationStatus) => void;
  readonly onActivated: (generation: Generation) => void;
  /** Told of the replicator while it can be asked for changes, and undefined after that. */
  readonly onReplicator: (id: number, replicator: GenerationReplicator | undefined) => void;
}

/**
 * Runs one generation until the signal aborts, which resolves.
 *
 * @throws AppError whatever ended it, among others `SOURCE_SLOT_LOST`.
 */
export async function runGeneration(
  generation: Generation,
  options: GenerationRunOptions,
  signal: AbortSignal,
): Promise<void> {
  const { storage, compiler, onReplicator, onActivated } = options;
  try {
    await using writer = await storage.openWriter(generation.id);
    const progress = await writer.progress();
    await using replication = await openReplication(generation, progress, options);
    const replicator = new GenerationReplicator({
      ...options,
      generation,
      progress,
      writer,
      replication,
      planOf: (config) => compiler.planOf(config),
      onActivated: () => onActivated(generation),
    });
    const running = replicator.run(signal);
    onReplicator(generation.id, replicator);
    dropUselessConfigs(generation, replicator, options);
    await running;
  } catch (error) {
    if (!signal.aborted) throw toAppError(error);
  } finally {
    onReplicator(generation.id, undefined);
  }
}

/** As `runGeneration`, trying again whatever fails, for nobody is served from it yet. */
export async function runWithRetries(
  generation: Generation,
  options: GenerationRunOptions,
  signal: AbortSignal,
): Promise<void> {
  const { clock, limits, logger } = options;
  while (!signal.aborted) {
    try {
      const stored = await options.storage.generations();
      const now = stored.find(({ id }) => id === generation.id) ?? generation;
      return await runGeneration(now, options, signal);
    } catch (error) {
      if (isSlotLost(error)) throw error;
      const facts = failureFacts(error);
      logger.error('generation_fill_failed', { generation: generation.id, ...facts });
      await pause(clock, limits.fillRetryMs, signal);
    }
  }
}

export function isSlotLost(error: unknown): boolean {
  return error instanceof SourceError && error.code === 'SOURCE_SLOT_LOST';
}

/** What an earlier version of the compiler made, and this one makes differently, is of no use. */
function dropUselessConfigs(
  { configs }: Generation,
  replicator: GenerationReplicator,
  { compiler, logger, callsOffNext }: GenerationRunOptions,
): void {
  for (const [config, kind] of [
    [configs.next, 'call-off'],
    [configs.previous, 'keep-over'],
  ] as const) {
    if (config === undefined) continue;
    const isUseful = compiler.planOf(config) !== undefined;
    if (isUseful && !(kind === 'call-off' && callsOffNext)) continue;
    logger.warn('sync_config_dropped', { hash: config.hash, isStale: !isUseful });
    replicator.change({ kind }).catch((error: unknown) => {
      logger.debug('sync_config_not_dropped', { code: toAppError(error).code });
    });
  }
}

async function openReplication(
  generation: Generation,
  progress: WriterProgress,
  { source, storage, compiler }: GenerationRunOptions,
): Promise<SourceReplication> {
  const { options } = compiler.compile(generation.configs.serving.text);
  const open = (handle: string | undefined): Promise<SourceReplication> =>
    source.openReplication({
      generationId: generation.id,
      handle,
      recordHandle: (created) => storage.setSourceHandle(generation.id, created),
      values: valueOptions(options),
    });
  try {
    return await open(generation.sourceHandle);
  } catch (error) {
    // The handle may have been recorded and then not come into being; nothing depends on it yet.
    if (isSlotLost(error) && progress.resume === undefined) return open(undefined);
    throw error;
  }
}
