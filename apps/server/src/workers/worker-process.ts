import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';
import type { FromWorker, ToWorker } from './messages.ts';

/** A running API worker, as its supervisor sees it. */
export interface WorkerProcess {
  readonly pid: number | undefined;
  /** Lost when the process has gone. */
  post(message: ToWorker): void;
  /** Resolves when the process has ended, with how. */
  readonly exited: Promise<string>;
  /** Ends the process whatever it is doing. */
  kill(): void;
}

export type LaunchWorkerProcess = (onMessage: (message: FromWorker) => void) => WorkerProcess;

/**
 * Starts the real thing. The main process accepts connections and hands them out in turn: streams
 * stay open for hours, so an even spread matters more than the tenth of a millisecond that each
 * handing over costs; and a worker that does not react is handed nothing more.
 */
export const launchWorkerProcess: LaunchWorkerProcess = (onMessage) => {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  cluster.schedulingPolicy = cluster.SCHED_RR;
  cluster.setupPrimary({
    exec: fileURLToPath(new URL(`./api-worker.${extension}`, import.meta.url)),
    args: [],
    serialization: 'advanced',
  });
  const worker = cluster.fork();
  worker.on('message', onMessage);
  const exited = new Promise<string>((resolve) => {
    worker.once('exit', (code: number | null, signal: string | null) =>
      resolve(signal === null ? `with code ${code}` : `by ${signal}`),
    );
    worker.once('error', (error) => resolve(`with ${error.message}`));
  });
  return {
    pid: worker.process.pid,
    post: (message) => {
      // A message to a process that is gone is reported by its exit, not here.
      if (worker.isConnected()) worker.process.send(message, () => {});
    },
    exited,
    kill: () => void worker.process.kill('SIGKILL'),
  };
};
