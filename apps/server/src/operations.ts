import path from 'node:path';
import type { Clock, Logger } from '@sluice/base';
import type { ChangeSource } from '@sluice/source';
import type { SyncHub } from '@sluice/sync';
import { Canary } from './canary/canary.ts';
import type { ServiceConfig } from './config/service-config.ts';
import type { ProbeState } from './http/backend.ts';
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
import { added, type Traffic } from './serving/traffic.ts';
import type { OpenedStorage } from './storage-keeper.ts';
import { Health, type Problem, type Watch } from './watchdog/health.ts';
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
  /** Of all processes that serve clients. */
  readonly traffic: () => Traffic;
  /** What other processes log, by code, and what is unwell there. */
  readonly errorsElsewhere: () => Readonly<Record<string, number>>;
  readonly problemsElsewhere: () => readonly Problem[];
  /** Whether another process logs what is wrong with replication. */
  readonly isReplicationLogged?: boolean | undefined;
  /** Whether new clients are let in. */
  readonly takesClients: () => boolean;
}

/** Of the working directory. */
const PROBES_DIR = '.probes';

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

  /** Of all processes, each component once. */
  problems(): readonly Problem[] {
    const all = [...this.#options.problemsElsewhere(), ...this.ownProblems()];
    return [...new Map(all.map((problem) => [problem.component, problem])).values()];
  }

  /** Of this process. */
  ownProblems(): readonly Problem[] {
    return this.#health.problems();
  }

  /** Ready means that clients are served: a source that is away does not change that. */
  probes(): ProbeState {
    const opened = this.#options.opened();
    const isServing = opened?.used.isServing === true && this.#options.takesClients();
    return {
      started: opened !== undefined,
      ready: isServing && this.#health.passes('readiness'),
      live: this.#health.passes('liveness'),
      touchedAtMs: this.#options.replication().touchedAtMs,
      problems: this.problems(),
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
    const { opened, replication, isReplicationLogged, clock, logger } = this.#options;
    const vitals = () => opened()?.used.vitals();
    const ofReplication = [replicatorWatch(replication), replicationWatch(replication)];
    const watches = [
      ...(isReplicationLogged ? ofReplication.map(loggedElsewhere) : ofReplication),
      feedWatch(vitals),
      keepaliveWatch(vitals),
      ...(this.#monitor ? [this.#monitor.answers, this.#monitor.budget] : []),
      ...(this.#canary ? [this.#canary.watch] : []),
    ];
    return new Health({ watches, clock, logger });
  }

  #facts(): ServiceFacts {
    const { config, clock, replication, errorCounts, errorsElsewhere } = this.#options;
    const { problems, started, ready, live } = this.probes();
    const isOne = problems.map(({ component }) => [component, 1] as const);
    return {
      nowMs: clock.now(),
      replication: replication(),
      meters: this.#meters,
      gauges: this.#gauges,
      traffic: this.#options.traffic(),
      storageBytes: storageBytes(config.storage.path),
      retention: this.#monitor?.scarcest,
      errors: added(errorCounts(), errorsElsewhere()),
      problems: Object.fromEntries(isOne),
      probes: { startup: Number(started), readiness: Number(ready), liveness: Number(live) },
      canary: this.#canary?.counts,
      loopDelay: this.#loopDelay?.take() ?? {},
      process: processFacts(),
    };
  }
}

function loggedElsewhere(watch: Watch): Watch {
  return {
    ...watch,
    check: (nowMs) => {
      const fault = watch.check(nowMs);
      return fault && { ...fault, isLogged: true };
    },
  };
}
