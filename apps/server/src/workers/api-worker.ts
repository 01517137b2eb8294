import { assert } from '@sluice/base';
import { toFailure } from '../replicator/messages.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { WorkerServing } from './worker-serving.ts';

/**
 * The entry of an API worker: a process that serves clients on the port that all workers share. It
 * ends with the main process: at `stop`, or by node:cluster when the channel is gone.
 */
const stopping = new AbortController();
let serving: WorkerServing | undefined;

assert(process.send !== undefined, 'an API worker is started by the main process');
// A terminal and a process manager signal the whole group; it is the main process that says when.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('message', (message: ToWorker) => {
  if (message.kind === 'begin') void serve(message);
  else if (message.kind === 'stop') stopping.abort();
  else serving?.take(message);
});
post({ kind: 'ready' });

async function serve(begin: Extract<ToWorker, { readonly kind: 'begin' }>): Promise<void> {
  try {
    serving = new WorkerServing(begin, post);
    await serving.run(stopping.signal);
  } catch (error) {
    // The main process tells it, and ends this one.
    post({ kind: 'failed', failure: toFailure(error) });
    return;
  }
  process.exit(0);
}

function post(message: FromWorker): void {
  // Without the channel there is nobody to tell, and the process is about to end.
  process.send?.(message, undefined, {}, () => {});
}
