import { pause, systemClock, toAppError, unreachable, type Logger } from '@sluice/base';
import type { ChangeSource } from '@sluice/source';
import { compileOrThrow } from '../admin/compile-config.ts';
import type { ServiceConfig } from '../config/service-config.ts';
import { createLogger } from '../logging/create-logger.ts';
import { CountingLogger } from '../metrics/counting-logger.ts';
import { openChangeRelay, openSource } from '../open-stores.ts';
import { Operations } from '../operations.ts';
import { toFailure } from '../replicator/messages.ts';
import type { ReplicationStatus } from '../service-status.ts';
import { Serving } from '../serving/serving.ts';
import type { Problem } from '../watchdog/health.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { RemoteAdmin } from './remote-admin.ts';

const REPORT_MS = 1000;

/** What an API worker does once it knows its configuration: serves, and minds the main process. */
export class WorkerServing {
  readonly #post: (message: FromWorker) => void;
  readonly #logger: CountingLogger;
  readonly #storagePath: string;
  readonly #source: ChangeSource | undefined;
  readonly #defaultSchema: string;
  readonly #admin: RemoteAdmin;
  readonly #serving: Serving;
  readonly #operations: Operations;
  #replication: ReplicationStatus;
  #problemsOfMain: readonly Problem[] = [];
  #isStopping = false;
  #relay: ReturnType<typeof openChangeRelay> | undefined;

  constructor(
    begin: Extract<ToWorker, { readonly kind: 'begin' }>,
    post: (message: FromWorker) => void,
  ) {
    const { config, production, replication } = begin;
    this.#post = post;
    this.#replication = replication;
    this.#logger = new CountingLogger(withWorker(createLogger(config.logging)));
    this.#storagePath = config.storage.path;
    this.#source = config.source && openSource(config.source, { logger: this.#logger });
    this.#defaultSchema = this.#source?.defaultSchema ?? 'public';
    this.#admin = new RemoteAdmin({
      connection: config.source,
      defaultSchema: this.#defaultSchema,
      clock: systemClock,
      post: (id, request) => post({ kind: 'request', id, request }),
    });
    this.#serving = new Serving({
      config,
      production,
      source: this.#source,
      admin: () => this.#admin,
      probes: () => this.#operations.probes(),
      clock: systemClock,
      logger: this.#logger,
      random: Math.random,
    });
    this.#operations = this.#newOperations(config);
  }

  take(message: Exclude<ToWorker, { readonly kind: 'begin' | 'stop' }>): void {
    switch (message.kind) {
      case 'replication':
        this.#replication = message.replication;
        this.#problemsOfMain = message.problems;
        break;
      case 'changed':
        this.#relay?.tell(message.change);
        break;
      case 'count':
        void this.#count(message);
        break;
      case 'admin':
        this.#admin.take(message.answer);
        break;
      default:
        unreachable(message);
    }
  }

  /**
   * Serves until the signal, then ends the streams and closes everything.
   *
   * @throws AppError `API_LISTEN_FAILED`.
   */
  async run(signal: AbortSignal): Promise<void> {
    await this.#serving.listen();
    this.#post({ kind: 'listening', url: this.#serving.url });
    const opened = this.#openStorage(signal);
    const watching = this.#operations.run(signal);
    while (!signal.aborted) {
      this.#report();
      await pause(systemClock, REPORT_MS, signal);
    }
    this.#isStopping = true;
    await this.#close(Promise.all([opened, watching]));
  }

  async #openStorage(signal: AbortSignal): Promise<void> {
    await this.#serving.openStorage(signal);
    if (!this.#serving.opened) return;
    this.#relay = openChangeRelay(this.#storagePath, (change) =>
      this.#post({ kind: 'changed', change }),
    );
  }

  /** Each has a bound of its own; a failure of one must not keep the others open. */
  async #close(background: Promise<unknown>): Promise<void> {
    const ended = await Promise.allSettled([this.#serving.close(), background]);
    this.#relay?.[Symbol.dispose]();
    const disposed = await Promise.allSettled([
      this.#serving[Symbol.asyncDispose](),
      this.#source?.[Symbol.asyncDispose](),
    ]);
    for (const result of [...ended, ...disposed]) {
      if (result.status === 'fulfilled') continue;
      const { code, message } = toAppError(result.reason);
      this.#logger.warn('service_stop_incomplete', { code, message });
    }
  }

  #report(): void {
    const { traffic } = this.#serving;
    const errors = this.#logger.counts;
    const problems = this.#operations.ownProblems();
    this.#post({ kind: 'report', report: { traffic, errors, problems } });
  }

  /** Metrics, probes as files, the canary and looking after the source are the main process's. */
  #newOperations(config: ServiceConfig): Operations {
    return new Operations({
      config: {
        ...config,
        telemetry: { ...config.telemetry, prometheusPort: undefined, canaryIntervalMs: 0 },
        probes: { ...config.probes, filesystem: false },
      },
      clock: systemClock,
      logger: this.#logger,
      errorCounts: () => this.#logger.counts,
      source: undefined,
      replication: () => this.#replication,
      opened: () => this.#serving.opened,
      traffic: () => this.#serving.traffic,
      errorsElsewhere: () => ({}),
      problemsElsewhere: () => this.#problemsOfMain,
      isReplicationLogged: true,
      takesClients: () => !this.#isStopping,
    });
  }

  async #count(asked: Extract<ToWorker, { readonly kind: 'count' }>): Promise<void> {
    const { id, configText } = asked;
    try {
      const plan = compileOrThrow(
        configText,
        { defaultSchema: this.#defaultSchema },
        'sync config',
      );
      const outcome = await this.#serving.concerned(plan);
      this.#post({ kind: 'counted', answer: { kind: 'answer', id, outcome } });
    } catch (error) {
      this.#post({ kind: 'counted', answer: { kind: 'refusal', id, failure: toFailure(error) } });
    }
  }
}

/** Says with each event whose it is. */
function withWorker(logger: Logger): Logger {
  const pid = { worker: process.pid };
  return {
    debug: (event, facts) => logger.debug(event, { ...facts, ...pid }),
    info: (event, facts) => logger.info(event, { ...facts, ...pid }),
    warn: (event, facts) => logger.warn(event, { ...facts, ...pid }),
    error: (event, facts) => logger.error(event, { ...facts, ...pid }),
  };
}
