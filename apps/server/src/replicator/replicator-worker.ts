import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parentPort, workerData } from 'node:worker_threads';
import {
  AppError,
  must,
  pause,
  systemClock,
  toAppError,
  type LogFacts,
  type Logger,
} from '@sluice/base';
import {
  createReplication,
  type DeployOutcome,
  type Replication,
  type ReplicationStatus,
} from '@sluice/replication';
import type { ChangeSource } from '@sluice/source';
import type { BucketStorage } from '@sluice/storage';
import { assertAllowedHost, openBucketStorage, openSource } from '../open-stores.ts';
import { lagBytes } from './lag-bytes.ts';
import {
  toFailure,
  type FromReplicator,
  type ReplicatorInput,
  type ReplicatorRequest,
  type ToReplicator,
} from './messages.ts';

import { MeteredStorage } from './metered-storage.ts';
import { takeMeters, zeroMeters } from './meters.ts';

/**
 * Entry of the replicator thread: runs replication when told to, reports how it goes, and answers
 * requests while it runs.
 */
const port = must(parentPort, 'the port to the main thread');
const input = workerData as ReplicatorInput;
const stop = new AbortController();

const HEARTBEAT_MS = 1000;
const STATUS_MS = 200;
const LAG_MS = 5000;
/** How long one call to storage may take before the thread is called stuck. */
const MAX_BUSY_MS = 60_000;

const post = (message: FromReplicator): void => port.postMessage(message);
const log =
  (level: 'debug' | 'info' | 'warn' | 'error') =>
  (event: string, facts?: LogFacts): void =>
    post({ kind: 'log', level, event, facts: facts && cloneable(facts) });
const logger: Logger = {
  debug: log('debug'),
  info: log('info'),
  warn: log('warn'),
  error: log('error'),
};

const meters = zeroMeters();
const loopDelay = monitorEventLoopDelay({ resolution: 20 });
loopDelay.enable();
/** Of the newest attempt. */
let metered: MeteredStorage | undefined;

const heartbeat = setInterval(beat, HEARTBEAT_MS);
let running: Promise<void> = Promise.resolve();
/** Of the newest attempt, once it has begun; rejects when it fails before. */
let replication: Promise<Replication> | undefined;

port.on('message', (message: ToReplicator) => {
  switch (message.kind) {
    case 'run':
      replication = new Promise((began, failed) => {
        running = run(began).catch(failed);
      });
      replication.catch(() => {}); // looked at by requests, if there are any
      break;
    case 'request':
      void answer(message.id, message.request);
      break;
    case 'stop':
      void finish();
  }
});

/** A writer that is stuck is no life, so the supervisor ends this thread then. */
function beat(): void {
  const busyMs = systemClock.now() - (metered?.busySinceMs ?? Infinity);
  if (!(busyMs > MAX_BUSY_MS)) post({ kind: 'heartbeat' });
  const gauges = {
    loopDelayMaxMs: loopDelay.max / 1e6,
    compactionsPending: metered?.compactionsPending ?? 0,
  };
  loopDelay.reset();
  post({ kind: 'meters', added: takeMeters(meters), gauges });
}

async function answer(id: number, request: ReplicatorRequest): Promise<void> {
  try {
    const target = await replication;
    if (target === undefined) throw notRunning();
    post({ kind: 'answer', id, outcome: await perform(target, request) });
  } catch (error) {
    post({ kind: 'refusal', id, failure: toFailure(error) });
  }
}

function perform(target: Replication, request: ReplicatorRequest): Promise<DeployOutcome> {
  switch (request.kind) {
    case 'deploy':
      return target.deploy(request.configText);
    case 'rollBack':
      return target.rollBack();
    case 'reprocess':
      return target.reprocess();
  }
}

function notRunning(): AppError {
  return new AppError('REPLICATION_WAITING', 'The replicator does not run now');
}

async function finish(): Promise<void> {
  stop.abort();
  await running;
  clearInterval(heartbeat);
  loopDelay.disable();
  port.close();
}

/** One attempt; its failure is reported, then thrown. */
async function run(began: (replication: Replication) => void): Promise<void> {
  const latest: Latest = new Map();
  const attempt = new AbortController();
  try {
    await using storage = await openBucketStorage({
      path: input.storagePath,
      mode: 'writer',
      logger,
    });
    await assertAllowedHost(input.connection);
    const attemptStorage = new MeteredStorage(storage, meters, systemClock);
    metered = attemptStorage;
    await using source = openSource(input.connection, {
      logger,
      onReceived: (bytes) => (meters.receivedBytes += bytes),
    });
    const reports = [
      repeat(STATUS_MS, attempt.signal, () => reportStatuses(latest)),
      repeat(LAG_MS, attempt.signal, () => reportLags(source, storage, latest)),
    ];
    const target = createReplication({
      source,
      storage: attemptStorage.storage,
      configText: input.syncConfigText,
      limits: { compactEveryMs: input.compactEveryMs },
      clock: systemClock,
      logger,
      onStatus: (status) => take(latest, status),
    });
    try {
      const ended = target.run(stop.signal);
      began(target);
      await ended;
    } finally {
      attempt.abort();
      metered = undefined;
      await Promise.all(reports);
    }
  } catch (error) {
    if (!stop.signal.aborted) post({ kind: 'failed', failure: toFailure(error) });
    throw error;
  }
}

/** By generation. */
type Latest = Map<number, { readonly status: ReplicationStatus; readonly isReported: boolean }>;

/** A change of phase at once, everything else with the next regular report. */
function take(latest: Latest, status: ReplicationStatus): void {
  const isReported = latest.get(status.generationId)?.status.phase !== status.phase;
  if (isReported) post({ kind: 'status', status });
  latest.set(status.generationId, { status, isReported });
}

function reportStatuses(latest: Latest): Promise<void> {
  for (const [id, { status, isReported }] of latest) {
    if (!isReported) post({ kind: 'status', status });
    latest.set(id, { status, isReported: true });
  }
  return Promise.resolve();
}

async function reportLags(
  source: ChangeSource,
  storage: BucketStorage,
  latest: Latest,
): Promise<void> {
  try {
    const existing = new Set((await storage.generations()).map(({ id }) => id));
    for (const id of latest.keys()) if (!existing.has(id)) latest.delete(id);
    if (latest.size === 0) return;
    const head = await source.head();
    const lags = [...latest.values()].map(({ status }) => ({
      generationId: status.generationId,
      lagBytes: status.phase === 'streaming' ? lagBytes(head, status.position) : undefined,
    }));
    post({ kind: 'lags', lags });
  } catch (error) {
    // Replication itself meets the same failure and reports it.
    logger.debug('replication_lag_unknown', { code: toAppError(error).code });
  }
}

async function repeat(ms: number, signal: AbortSignal, act: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await act();
    await pause(systemClock, ms, signal);
  }
}

/** Facts may hold anything; what goes to another thread must be plain. */
function cloneable(facts: LogFacts): LogFacts {
  const text = JSON.stringify(facts, (_key, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value instanceof Error ? value.message : value,
  );
  return JSON.parse(text) as LogFacts;
}
