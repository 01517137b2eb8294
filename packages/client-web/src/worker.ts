import { inProcessLock, systemClock, toPlainError, type WebSocketLike } from '@sluice/client';
import { SqliteModule } from './sqlite/sqlite-module.ts';
import { OpfsFolder } from './storage/opfs-folder.ts';
import type { ControlMessage, FromWorker, ToWorker } from './tabs/messages.ts';
import { tabNames } from './tabs/names.ts';
import { Leader } from './worker/leader.ts';
import { loadModule } from './worker/load-module.ts';

/** What a dedicated worker has of its page; types of pages are in force here. */
interface WorkerScope {
  postMessage(message: FromWorker): void;
  addEventListener(type: 'message', listener: (event: { readonly data: ToWorker }) => void): void;
}

const scope = globalThis as unknown as WorkerScope;
let leader: Promise<Leader> | undefined;

scope.addEventListener('message', ({ data: message }) => {
  switch (message.kind) {
    case 'start':
      leader = start(message);
      leader.catch(failed);
      return;
    case 'join':
      void leader?.then((leading) => leading.joinByPort(message.join, message.port), failed);
      return;
    case 'ping':
      scope.postMessage({ kind: 'awake' });
      return;
    case 'end':
      void end();
  }
});

async function start(options: Extract<ToWorker, { kind: 'start' }>): Promise<Leader> {
  const { worker, database, openedAt, schema, wasmUrl, cacheBytes } = options;
  const names = tabNames(database);
  await holdLock(names.workerLock(worker));
  scope.postMessage({ kind: 'started' });
  const control = new BroadcastChannel(names.control);
  const module = await SqliteModule.instantiate(await loadModule(wasmUrl));
  const leading = new Leader({
    worker,
    names,
    openedAt,
    schema,
    module,
    openFolder: () => OpfsFolder.open(database, systemClock),
    platform: {
      clock: systemClock,
      random: Math.random,
      newId: () => crypto.randomUUID(),
      fetch: (...request) => fetch(...request),
      openSocket: (url) => new WebSocket(url) as WebSocketLike,
      userAgent: 'sluice-web/0.1.0',
      uploadLock: inProcessLock(),
    },
    cacheBytes,
    locks: navigator.locks,
    openBroadcast: (name) => new BroadcastChannel(name),
    clock: systemClock,
    say: (message) => control.postMessage(message),
    onProblem: (problem) => scope.postMessage({ kind: 'problem', error: toPlainError(problem) }),
  });
  // Only tabs and workers of this library post there.
  control.addEventListener('message', ({ data }) => leading.hear(data as ControlMessage));
  leading.run().then(
    () => scope.postMessage({ kind: 'ended' }),
    (error: unknown) => failed(error),
  );
  return leading;
}

/** For as long as this worker lives: by it others learn of its end. */
function holdLock(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const held = () => {
      resolve();
      return new Promise<never>(() => undefined);
    };
    navigator.locks.request(name, held).catch(reject);
  });
}

async function end(): Promise<void> {
  try {
    const leading = await leader;
    if (leading === undefined) scope.postMessage({ kind: 'ended' });
    else leading.end();
  } catch {
    // It never came to lead, which the page was told.
    scope.postMessage({ kind: 'ended' });
  }
}

function failed(error: unknown): void {
  scope.postMessage({ kind: 'failed', error: toPlainError(error) });
}
