import { AppError, type LogFacts, type Logger } from '@sluice/base';
import type { ConcernedSessions, SyncStats } from '@sluice/sync';
import { compileSyncConfig } from '@sluice/sync-config';
import { FakeClock, settle } from '@sluice/testing';
import { describe, expect, it } from 'vitest';
import { loadServiceConfig } from '../config/load-config.ts';
import type { AdminBackend } from '../http/backend.ts';
import { toFailure } from '../replicator/messages.ts';
import { NO_TRAFFIC } from '../serving/traffic.ts';
import type { FromWorker, ToWorker, WorkerReport } from './messages.ts';
import { WorkerPool } from './worker-pool.ts';
import type { LaunchWorkerProcess, WorkerProcess } from './worker-process.ts';

/** Does what the test says, and ends when it is killed. */
class ScriptedProcess implements WorkerProcess {
  readonly pid = 1;
  readonly received: ToWorker[] = [];
  readonly say: (message: FromWorker) => void;
  exit: (how: string) => void = () => {};
  readonly exited = new Promise<string>((resolve) => (this.exit = resolve));
  isKilled = false;

  constructor(say: (message: FromWorker) => void) {
    this.say = say;
  }
  post(message: ToWorker): void {
    this.received.push(message);
  }
  kill(): void {
    this.isKilled = true;
    this.exit('by SIGKILL');
  }
  get kinds(): string[] {
    return this.received.map(({ kind }) => kind);
  }
  get beganWithPort(): number | undefined {
    return this.received.find((message) => message.kind === 'begin')?.config.port;
  }
  /** The newest request for a count. */
  get asked(): number {
    return this.received.findLast((message) => message.kind === 'count')?.id ?? 0;
  }
}

const TEXT = `
config: { edition: 3 }
streams:
  all: { auto_subscribe: true, query: SELECT * FROM notes }
`;
const { plan } = compileSyncConfig(TEXT, { defaultSchema: 'public' });
const TAKEN = new AppError('API_LISTEN_FAILED', 'another process listens there');

async function setUp(workers = 3) {
  const clock = new FakeClock();
  const processes: ScriptedProcess[] = [];
  const logged: string[] = [];
  const log = (event: string, facts?: LogFacts) => {
    const code = facts?.['code'];
    logged.push(typeof code === 'string' ? `${event} ${code}` : event);
  };
  const logger: Logger = { debug: () => {}, info: () => {}, warn: log, error: log };
  const launch: LaunchWorkerProcess = (onMessage) => {
    const launched = new ScriptedProcess(onMessage);
    processes.push(launched);
    return launched;
  };
  const configText = JSON.stringify({
    storage: { type: 'sqlite', path: '/nowhere/storage.db' },
    port: 0,
    api: { workers },
  });
  const pool = new WorkerPool({
    config: await loadServiceConfig({ env: {}, cwd: '/', configText }),
    production: false,
    launch,
    admin: () =>
      ({ reprocess: () => Promise.reject(TAKEN) }) as Partial<AdminBackend> as AdminBackend,
    problems: () => [],
    source: undefined,
    replication: () => ({ state: 'off', generations: [], rowsTotal: 0, touchedAtMs: clock.now() }),
    clock,
    logger,
    random: () => 0.5,
  });
  const process = (index: number): ScriptedProcess => {
    const found = processes[index];
    if (!found) throw new Error(`process ${index} was not launched`);
    return found;
  };
  return { clock, processes, process, logged, pool };
}

/** All workers listen on port 4711. */
async function setUpServing(workers = 3) {
  const world = await setUp(workers);
  const listening = world.pool.listen();
  for (const worker of world.processes) await comeUp(worker);
  await listening;
  return world;
}

async function comeUp(worker: ScriptedProcess): Promise<void> {
  worker.say({ kind: 'ready' });
  await settle();
  worker.say({ kind: 'listening', url: 'http://127.0.0.1:4711' });
  await settle();
}

const NO_SYNC: SyncStats = {
  connections: 0,
  linesSent: 0,
  opsSent: 0,
  bytesSent: 0,
  readsRunning: 0,
  readsWaiting: 0,
  lookupHits: 0,
  lookupMisses: 0,
  readsShared: 0,
  readsMade: 0,
  linesShared: 0,
  linesBuilt: 0,
  buckets: 0,
};

function reportOf(http: number, opsSent = 0): WorkerReport {
  const traffic = {
    ...NO_TRAFFIC,
    streams: { ...NO_TRAFFIC.streams, open: { http, websocket: 0 } },
    sync: { ...NO_SYNC, opsSent },
  };
  return { traffic, errors: { SOURCE_TIMEOUT: 1 }, problems: [] };
}

/** What `promise` rejected with; resolved to `undefined` while it has not. */
function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(
    () => 'no error',
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );
}

function counted(worker: ScriptedProcess, sessions: number): void {
  const outcome: ConcernedSessions = { sessions, asked: sessions, refused: 0, definitions: [] };
  worker.say({ kind: 'counted', answer: { kind: 'answer', id: worker.asked, outcome } });
}

function concerned(pool: WorkerPool): Promise<ConcernedSessions> {
  if (!plan) throw new Error('the sync config of this test has errors');
  return pool.concerned(plan, TEXT);
}

describe('at the start', () => {
  it('all load at once, but the first listens alone and the others take its port', async () => {
    const { pool, processes, process } = await setUp();
    const listening = pool.listen();
    expect(processes).toHaveLength(3);
    for (const worker of processes) worker.say({ kind: 'ready' });
    await settle();
    expect(processes.map(({ kinds }) => kinds)).toEqual([['begin'], [], []]);
    process(0).say({ kind: 'listening', url: 'http://127.0.0.1:4711' });
    await settle();
    expect(processes.map(({ beganWithPort }) => beganWithPort)).toEqual([0, 4711, 4711]);
    for (const worker of processes.slice(1)) await comeUp(worker);
    await listening;
    expect(pool.url).toBe('http://127.0.0.1:4711');
  });

  it('fails with what the first cannot, tells it nowhere else, and leaves no process', async () => {
    const { pool, processes, process, logged } = await setUp();
    const code = codeOf(pool.listen());
    for (const worker of processes) worker.say({ kind: 'ready' });
    await settle();
    process(0).say({ kind: 'failed', failure: toFailure(TAKEN) });
    expect(await code).toBe('API_LISTEN_FAILED');
    await pool.close();
    expect(processes.map(({ isKilled }) => isKilled)).toEqual([true, true, true]);
    expect(processes.slice(1).flatMap(({ kinds }) => kinds)).toEqual([]);
    expect(logged.join()).not.toContain('API_LISTEN_FAILED');
  });

  it('fails once the first worker has ended three times', async () => {
    const { pool, clock, processes, logged } = await setUp(2);
    const code = codeOf(pool.listen());
    const first = () => processes.filter((_, index) => index !== 1);
    for (let starts = 1; starts <= 3; starts += 1) {
      while (first().length < starts) await clock.advance(50);
      first().at(-1)?.exit('with code 134');
      await settle();
    }
    expect(await code).toBe('API_WORKER_FAILED');
    expect(logged.filter((line) => line === 'api_worker_ended')).toHaveLength(3);
    await pool.close();
  });

  it('fails when the first worker never listens, after a minute', async () => {
    const { pool, clock, logged } = await setUp(2);
    let code: string | undefined;
    void codeOf(pool.listen()).then((failure) => (code = failure));
    await clock.advance(59_000);
    expect(code).toBeUndefined();
    await clock.advance(1000);
    expect(code).toBe('API_WORKER_FAILED');
    expect(logged).toContain('api_worker_stalled');
    await pool.close();
  });

  it('goes on without another worker that cannot, and says why', async () => {
    const { pool, process, logged } = await setUp();
    const listening = pool.listen();
    await comeUp(process(0));
    await comeUp(process(1));
    process(2).say({ kind: 'ready' });
    process(2).say({ kind: 'failed', failure: toFailure(TAKEN) });
    await listening;
    expect(logged).toContain('api_worker_failed API_LISTEN_FAILED');
  });
});

describe('a worker', () => {
  it('that cannot listen after a restart says why with its code, and is started again', async () => {
    const { process, processes, clock, logged } = await setUpServing(2);
    process(1).exit('with code 1');
    await clock.advance(300);
    process(2).say({ kind: 'ready' });
    await settle();
    expect(process(2).beganWithPort).toBe(4711);
    process(2).say({ kind: 'failed', failure: toFailure(TAKEN) });
    await clock.advance(600);
    expect(logged).toEqual([
      'api_worker_ended',
      'api_worker_failed API_LISTEN_FAILED',
      'api_worker_ended',
    ]);
    expect(processes).toHaveLength(4);
  });

  it('that reports nothing for 30 s is killed and started anew; the others are not', async () => {
    const { process, processes, clock } = await setUpServing(2);
    for (let second = 0; second < 32; second += 1) {
      process(0).say({ kind: 'report', report: reportOf(7) });
      await clock.advance(1000);
    }
    expect(processes.map(({ isKilled }) => isKilled)).toEqual([false, true, false]);
  });

  it('counts on where its last process stood, but has no streams of it', async () => {
    const { pool, process, clock } = await setUpServing(2);
    process(0).say({ kind: 'report', report: reportOf(3, 1000) });
    process(1).say({ kind: 'report', report: reportOf(4, 500) });
    expect(pool.streamCount).toBe(7);
    process(1).exit('by SIGKILL');
    await clock.advance(300);
    expect(pool.streamCount).toBe(3);
    await comeUp(process(2));
    process(2).say({ kind: 'report', report: reportOf(1, 20) });
    expect(pool.traffic).toMatchObject({ streams: { open: { http: 4 } }, sync: { opsSent: 1520 } });
    expect(pool.errorsElsewhere).toEqual({ SOURCE_TIMEOUT: 3 });
  });

  it('is told of a change that another made, not of its own', async () => {
    const { process, processes } = await setUpServing();
    process(1).say({ kind: 'changed', change: 'write-checkpoints' });
    expect(processes.map(({ kinds }) => kinds.includes('changed'))).toEqual([true, false, true]);
  });

  it('gets the code of an admin call that the main process refuses', async () => {
    const { process } = await setUpServing(2);
    process(1).say({ kind: 'request', id: 5, request: { method: 'reprocess' } });
    await settle();
    expect(process(1).received.at(-1)).toMatchObject({
      kind: 'admin',
      answer: { kind: 'refusal', id: 5, failure: { code: 'API_LISTEN_FAILED' } },
    });
  });
});

describe('at the end', () => {
  it('a worker that has not loaded yet is not waited for', async () => {
    const { pool, process, clock } = await setUp(2);
    void codeOf(pool.listen());
    await comeUp(process(0));
    const startedAtMs = clock.now();
    const closed = pool.close();
    process(0).exit('with code 0');
    await closed;
    expect(process(1).isKilled).toBe(true);
    expect(process(0).isKilled).toBe(false);
    expect(clock.now()).toBe(startedAtMs);
  });

  it('one that serves is asked, and killed 8 s later', async () => {
    const { pool, process, clock, logged } = await setUpServing(2);
    const closed = pool.close();
    process(0).exit('with code 0');
    await clock.advance(7999);
    expect(process(1).isKilled).toBe(false);
    await clock.advance(1);
    expect(process(1).isKilled).toBe(true);
    await closed;
    expect(process(1).kinds).toContain('stop');
    expect(logged).toEqual(['api_worker_stop_forced']);
  });
});

describe('the sessions that a plan concerns', () => {
  it('are those of all workers', async () => {
    const { pool, processes } = await setUpServing();
    const sum = concerned(pool);
    processes.forEach((worker, index) => counted(worker, index + 1));
    expect(await sum).toMatchObject({ sessions: 6, asked: 6 });
  });

  it('are not known when one ends meanwhile; the counts of others go on', async () => {
    const { pool, process, clock } = await setUpServing(2);
    const code = codeOf(concerned(pool));
    process(1).exit('by SIGSEGV');
    expect(await code).toBe('API_WORKER_ENDED');
    await clock.advance(300);
    const sum = concerned(pool); // asks the first alone: the other has no clients
    process(2).exit('by SIGSEGV');
    await settle();
    counted(process(0), 4);
    expect(await sum).toMatchObject({ sessions: 4 });
  });

  it('are not known when one does not answer within 5 s', async () => {
    const { pool, process, clock } = await setUpServing(2);
    const code = codeOf(concerned(pool));
    counted(process(0), 1);
    await clock.advance(5000);
    expect(await code).toBe('API_WORKER_UNANSWERED');
  });

  it('are not counted when the service stops', async () => {
    const { pool, processes } = await setUpServing(2);
    const code = codeOf(concerned(pool));
    const closed = pool.close();
    for (const worker of processes) worker.exit('with code 0');
    await closed;
    expect(await code).toBe('SYNC_SHUTTING_DOWN');
  });
});
