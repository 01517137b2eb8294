// Loaded into a service under test with `--import`: SIGHUP ends its replicator thread as if it had
// crashed, SIGUSR2 holds its event loop up for a while. The product itself knows nothing of it.
import { BroadcastChannel, isMainThread, workerData } from 'node:worker_threads';

const BLOCK_MS = 14_000;
const channel = new BroadcastChannel('tests-of-stalls');
channel.unref();
if (isMainThread) {
  process.on('SIGHUP', () => channel.postMessage('end'));
  process.on('SIGUSR2', () => channel.postMessage('block'));
} else if (workerData?.storagePath !== undefined) {
  channel.onmessage = ({ data }) => {
    if (data === 'end') process.exit(3);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BLOCK_MS);
  };
}
