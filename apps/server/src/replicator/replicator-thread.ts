import { Worker } from 'node:worker_threads';
import type { FromReplicator, ReplicatorInput, ToReplicator } from './messages.ts';

/** A running replicator thread, as its supervisor sees it. */
export interface ReplicatorThread {
  post(message: ToReplicator): void;
  /** Resolves when the thread has ended, with what it died of if it did. */
  readonly exited: Promise<Error | undefined>;
  /** Ends the thread whatever it is doing. */
  terminate(): Promise<void>;
}

export type LaunchThread = (onMessage: (message: FromReplicator) => void) => ReplicatorThread;

/** Starts the real thing: from the sources (in tests and development) or from the built files. */
export function launchWorker(input: ReplicatorInput): LaunchThread {
  return (onMessage) => {
    const worker = startWorker(input);
    let failure: Error | undefined;
    worker.on('message', onMessage);
    worker.on('error', (error) => {
      failure = error instanceof Error ? error : new Error(String(error));
    });
    const exited = new Promise<Error | undefined>((resolve) =>
      worker.once('exit', () => resolve(failure)),
    );
    return {
      post: (message) => worker.postMessage(message),
      exited,
      terminate: async () => {
        await worker.terminate();
      },
    };
  };
}

function startWorker(input: ReplicatorInput): Worker {
  const settings = { name: 'replicator', workerData: input };
  if (!import.meta.url.endsWith('.ts')) {
    return new Worker(new URL('./replicator-worker.js', import.meta.url), settings);
  }
  const entry = new URL('./worker-from-source.mjs', import.meta.url);
  return new Worker(entry, { ...settings, execArgv: ['-C', '@sluice/source'] });
}
