import { MessageChannel, Worker, type MessagePort, type ResourceLimits } from 'node:worker_threads';
import { portChannel, type Channel, type CompiledSchema } from '@sluice/client';
import type { ConnectionOptions } from './open-connection.ts';

/** What the thread of a database, or of a reader of it, is started with. */
export interface ThreadInput {
  /** The end of the channel to the app. */
  readonly port: MessagePort;
  readonly file: string;
  readonly connection: Omit<ConnectionOptions, 'readonly'>;
  /** Left out for a reader. */
  readonly host?: HostInput;
}

export interface HostInput {
  readonly schema: CompiledSchema;
  readonly userAgent: string | undefined;
  /** URL of a module whose `fetch` and `WebSocket` are used instead of Node's own. */
  readonly networkModule: string | undefined;
}

/**
 * Megabytes for what lives shortly. A download makes much of that, and V8's own 48 MB are filled before anything is collected; the thread that
 * syncs has no work that gains by it.
 */
const YOUNG_GENERATION_MB = 4;

export interface DatabaseThread {
  readonly channel: Channel;
  /** Resolves when the thread has ended, with what it died of if it did. */
  readonly exited: Promise<unknown>;
}

/**
 * Starts a thread, which ends by itself once its channel is closed; the channel closes when it dies. better-sqlite3 is loaded there
 * and not in the app's thread.
 */
export function startThread(name: string, input: Omit<ThreadInput, 'port'>): DatabaseThread {
  const { port1, port2 } = new MessageChannel();
  const workerData: ThreadInput = { ...input, port: port2 };
  const limits = { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB } };
  const worker = newWorker({
    ...(input.host !== undefined && limits),
    name,
    workerData,
    transferList: [port2],
  });
  let failure: unknown;
  worker.on('error', (error) => (failure = error));
  const exited = new Promise<unknown>((resolve) => worker.once('exit', () => resolve(failure)));
  return { channel: portChannel(port1), exited };
}

/** From the sources (in tests and development) or from the built files. */
function newWorker(settings: {
  readonly name: string;
  readonly workerData: ThreadInput;
  readonly transferList: readonly MessagePort[];
  readonly resourceLimits?: ResourceLimits;
}): Worker {
  const options = { ...settings, transferList: [...settings.transferList] };
  if (!import.meta.url.endsWith('.ts')) {
    // Flags of the app's own start, like `--input-type`, are not for other files.
    return new Worker(new URL('./thread-entry.js', import.meta.url), { ...options, execArgv: [] });
  }
  const entry = new URL('./thread-from-source.mjs', import.meta.url);
  return new Worker(entry, { ...options, execArgv: ['-C', '@sluice/source'] });
}
