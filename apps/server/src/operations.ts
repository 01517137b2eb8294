import path from 'node:path';
import type { Clock, Logger } from '@sluice/base';
import type { ChangeSource } from '@sluice/source';
import type { SyncHub } from '@sluice/sync';
import { Canary } from './canary/canary.ts';
import type { ServiceConfig } from './config/service-config.ts';
import type { ProbeState } from './http/backend.ts';
import type { StreamCounts } from './http/stream-registry.ts';
import { LoopDelay, processFacts, storageBytes } from './metrics/process-facts.ts';
import { MetricsServer } from './metrics/metrics-server.ts';
import type { ServiceFacts } from './metrics/service-facts.ts';
import { ServiceMetrics } from './metrics/service-metrics.ts';
import {
  addMeters,
  zeroMeters,
  type ReplicatorGauges,
  type ReplicatorMeters,
} from './replicator/meters.ts';
import type { ReplicationStatus } from './service-status.ts';
import type { OpenedStorage } from './storage-keeper.ts';
import { Health, type Problem } from './watchdog/health.ts';
import {
  feedWatch,
  keepaliveWatch,
  replicationWatch,
  replicatorWatch,
} from './watchdog/loop-watches.ts';
import { keepProbeFiles } from './watchdog/probe-files.ts';
import { SourceMonitor } from './watchdog/source-monitor.ts';

export interface OperationsOptions {
  readonly config: ServiceConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Log lines with an error code so far, by code. */
  readonly errorCounts: () => Readonly<Record<string, number>>;
  readonly source: ChangeSource | undefined;
  readonly replication: () => ReplicationStatus;
  readonly opened: () => OpenedStorage<SyncHub> | undefined;
  /** Undefined before the service listens. */
  readonly traffic: () =>
    | { readonly streams: StreamCounts; readonly queues: Readonly<Record<string, number>> }
    | undefined;
  readonly isStopping: () => boolean;
}

/** Of the working directory. */
const PROBES_DIR = '.probes';
const NO_STREAMS = { open: { http: 0, websocket: 0 }, closed: {} as StreamCounts['closed'] };

/** What tells operators how the service is: health, metrics and the canary (design D10). */
export class Operations {
  readonly #options: OperationsOptions;
  readonly #health: Health;
  readonly #monitor: SourceMonitor | undefined;
  readonly #canary: Canary | undefined;
  readonly #metrics: ServiceMetrics;
  readonly #meters: ReplicatorMeters = zeroMeters();
  #gauges: ReplicatorGauges | undefined;
  #loopDelay: LoopDelay | undefined;
  #server: MetricsServer | undefined;

  constructor(options: OperationsOptions) {
    this.#options = options;
    this.#monitor = this.#newMonitor();
    this.#canary = this.#newCanary();
    this.#metrics = new ServiceMetrics(() => this.#facts());
    this.#health = this.#newHealth();
  }

  /** Where metrics are served, if they are. */
  get metricsUrl(): string | undefined {
    return this.#server?.url;
  }

  /** @throws AppError `API_LISTEN_FAILED`. */
  async listen(): Promise<void> {
    const { config, logger } = this.#options;
    const port = config.telemetry.prometheusPort;
    if (port === undefined) return;
    this.#loopDelay = new LoopDelay();
    const { host } = config;
    this.#server = await MetricsServer.listen({ host, port, metrics: this.#metrics, logger });
    logger.info('metrics_listening', { url: this.#server.url });
  }

  /** Until the signal; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { config, clock, logger } = this.#options;
    const probes = (): ProbeState => this.probes();
    await Promise.all([
      this.#health.run(signal),
      this.#monitor?.run(signal),
      this.#canary?.run(signal),
      config.probes.filesystem
        ? keepProbeFiles({ dir: path.resolve(PROBES_DIR), probes, clock, logger }, signal)
        : undefined,
    ]);
  }

  async close(): Promise<void> {
    this.#loopDelay?.stop();
    await this.#server?.close();
  }

  /** Takes what the replicator thread reports. */
  readonly takeMeters = (added: ReplicatorMeters, gauges: ReplicatorGauges): void => {
    addMeters(this.#meters, added);
    this.#gauges = gauges;
  };

  problems(): readonly Problem[] {
    return this.#health.problems();
  }

  /** Ready means that clients are served: a source that is away does not change that. */
  probes(): ProbeState {
    const opened = this.#options.opened();
    const isServing = opened?.used.isServing === true && !this.#options.isStopping();
    return {
      started: opened !== undefined,
      ready: isServing && this.#health.passes('readiness'),
      live: this.#health.passes('liveness'),
      touchedAtMs: this.#options.replication().touchedAtMs,
      problems: this.#health.problems(),
    };
  }

  #newMonitor(): SourceMonitor | undefined {
    const { source, opened, replication, clock } = this.#options;
    return (
      source &&
      new SourceMonitor({
        source,
        generations: async () => (await opened()?.storage.generations()) ?? [],
        isWaiting: () => replication().state === 'waiting',
        clock,
      })
    );
  }

  #newCanary(): Canary | undefined {
    const { source, opened, replication, config, clock, logger } = this.#options;
    const { canaryIntervalMs: intervalMs, canaryThresholdMs: thresholdMs } = config.telemetry;
    if (source === undefined || intervalMs === 0) return undefined;
    return new Canary({
      source,
      passed: async (position, signal) => opened()?.used.passed(position, signal),
      isFlowing: () => opened()?.used.isServing === true && replication().state === 'streaming',
      intervalMs,
      thresholdMs,
      onSeen: (tookMs) => this.#metrics.observeCanary(tookMs),
      clock,
      logger,
    });
  }

  #newHealth(): Health {
    const { opened, replication, clock, logger } = this.#options;
    const vitals = () => opened()?.used.vitals();
    const watches = [
      replicatorWatch(replication),
      replicationWatch(replication),
      feedWatch(vitals),
      keepaliveWatch(vitals),
      ...(this.#monitor ? [this.#monitor.answers, this.#monitor.budget] : []),
      ...(this.#canary ? [this.#canary.watch] : []),
    ];
    return new Health({ watches, clock, logger });
  }

  #facts(): ServiceFacts {
    const { config, clock, replication, opened, traffic, errorCounts } = this.#options;
    const { streams = NO_STREAMS, queues = {} } = traffic() ?? {};
    const { problems, started, ready, live } = this.probes();
    const isOne = problems.map(({ component }) => [component, 1] as const);
    return {
      nowMs: clock.now(),
      replication: replication(),
      meters: this.#meters,
      gauges: this.#gauges,
      sync: opened()?.used.stats(),
      storage: opened()?.storage.stats(),
      storageBytes: storageBytes(config.storage.path),
      streams,
      queues,
      retention: this.#monitor?.scarcest,
      errors: errorCounts(),
      problems: Object.fromEntries(isOne),
      probes: { startup: Number(started), readiness: Number(ready), liveness: Number(live) },
      canary: this.#canary?.counts,
      loopDelay: this.#loopDelay?.take() ?? {},
      process: processFacts(),
    };
  }
}
