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
    const isSource = import.meta.url.endsWith('.ts');
    const entry = new URL(`./replicator-worker.${isSource ? 'ts' : 'js'}`, import.meta.url);
    const worker = new Worker(entry, {
      name: 'replicator',
      workerData: input,
      ...(isSource ? { execArgv: ['-C', '@sluice/source', '--import', 'tsx'] } : {}),
    });
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
