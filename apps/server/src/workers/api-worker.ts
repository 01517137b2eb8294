import { assert, pause, systemClock, type Logger } from '@sluice/base';
import { compileOrThrow } from '../admin/compile-config.ts';
import { createLogger } from '../logging/create-logger.ts';
import { openChangeRelay, openSource } from '../open-stores.ts';
import { toFailure } from '../replicator/messages.ts';
import { Serving } from '../serving/serving.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { RemoteAdmin } from './remote-admin.ts';

/**
 * The entry of an API worker: a process that serves clients on the port that all workers share. It
 * ends with the main process: at `stop`, or by node:cluster when the channel is gone.
 */
const REPORT_MS = 1000;
const stopping = new AbortController();

assert(process.send !== undefined, 'an API worker is started by the main process');
// A terminal and a process manager signal the whole group; it is the main process that says when.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.once('message', (message: ToWorker) => {
  if (message.kind === 'begin') void serve(message);
  else process.exit(0);
});
post({ kind: 'ready' });

function post(message: FromWorker): void {
  // Without the channel there is nobody to tell, and the process is about to end.
  process.send?.(message, undefined, {}, () => {});
}

async function serve(begin: Extract<ToWorker, { readonly kind: 'begin' }>): Promise<void> {
  const { config, production } = begin;
  const logger = withWorker(createLogger(config.logging));
  let { replication } = begin;
  const source = config.source && openSource(config.source, { logger });
  const defaultSchema = source?.defaultSchema ?? 'public';
  const admin = new RemoteAdmin({
    connection: config.source,
    defaultSchema,
    clock: systemClock,
    post: (id, request) => post({ kind: 'request', id, request }),
  });
  const serving = new Serving({
    config,
    production,
    source,
    admin: () => admin,
    replication: () => replication,
    clock: systemClock,
    logger,
    random: Math.random,
  });
  let relay: ReturnType<typeof openChangeRelay> | undefined;

  const count = async (id: number, configText: string): Promise<void> => {
    try {
      const plan = compileOrThrow(configText, { defaultSchema }, 'sync config');
      const outcome = await serving.concerned(plan);
      post({ kind: 'counted', answer: { kind: 'answer', id, outcome } });
    } catch (error) {
      post({ kind: 'counted', answer: { kind: 'refusal', id, failure: toFailure(error) } });
    }
  };
  process.on('message', (message: ToWorker) => {
    switch (message.kind) {
      case 'begin':
        break; // comes once
      case 'replication':
        replication = message.replication;
        break;
      case 'changed':
        relay?.tell(message.change);
        break;
      case 'count':
        void count(message.id, message.configText);
        break;
      case 'admin':
        admin.take(message.answer);
        break;
      case 'stop':
        stopping.abort();
    }
  });

  try {
    await serving.listen();
  } catch (error) {
    post({ kind: 'failed', failure: toFailure(error) });
    return;
  }
  post({ kind: 'listening', url: serving.url });
  const opened = serving.openStorage(stopping.signal).then(() => {
    if (!serving.storage) return;
    relay = openChangeRelay(config.storage.path, (change) => post({ kind: 'changed', change }));
  });
  while (!stopping.signal.aborted) {
    post({ kind: 'report', report: { streams: serving.streamCount } });
    await pause(systemClock, REPORT_MS, stopping.signal);
  }
  const ended = await Promise.allSettled([serving.close(), opened]);
  const disposed = await Promise.allSettled([
    serving[Symbol.asyncDispose](),
    source?.[Symbol.asyncDispose](),
  ]);
  for (const result of [...ended, ...disposed]) {
    if (result.status === 'fulfilled') continue;
    const { code, message } = toFailure(result.reason);
    logger.warn('service_stop_incomplete', { code, message });
  }
  process.exit(0);
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
