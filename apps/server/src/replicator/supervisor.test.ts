import { describe, expect, it, vi } from 'vitest';
import type { LogFacts, Logger } from '@sluice/base';
import type { DeployOutcome, ReplicationStatus as PhaseStatus } from '@sluice/replication';
import { FakeClock, settle } from '@sluice/testing';
import type { ReplicationStatus } from '../service-status.ts';
import type { FromReplicator, ReplicatorFailure, ToReplicator } from './messages.ts';
import type { LaunchThread } from './replicator-thread.ts';
import { ReplicatorSupervisor } from './supervisor.ts';

class ScriptedThread {
  readonly received: ToReplicator['kind'][] = [];
  readonly requests: Extract<ToReplicator, { readonly kind: 'request' }>[] = [];
  readonly say: (message: FromReplicator) => void;
  exit: (error?: Error) => void = () => {};
  readonly exited = new Promise<Error | undefined>((resolve) => (this.exit = resolve));
  terminated = false;

  constructor(say: (message: FromReplicator) => void) {
    this.say = say;
  }
  post(message: ToReplicator): void {
    this.received.push(message.kind);
    if (message.kind === 'request') this.requests.push(message);
    if (message.kind === 'stop') this.exit();
  }
  terminate(): Promise<void> {
    this.terminated = true;
    this.exit();
    return Promise.resolve();
  }
  get runs(): number {
    return this.received.filter((kind) => kind === 'run').length;
  }
}

function setUp() {
  const clock = new FakeClock();
  const threads: ScriptedThread[] = [];
  const logged: string[] = [];
  const log = (level: string) => (event: string, facts?: LogFacts) => {
    if (level !== 'debug')
      logged.push(
        `${level} ${event} ${typeof facts?.['code'] === 'string' ? facts['code'] : ''}`.trim(),
      );
  };
  const logger: Logger = {
    debug: log('debug'),
    info: log('info'),
    warn: log('warn'),
    error: log('error'),
  };
  const launch: LaunchThread = (onMessage) => {
    const thread = new ScriptedThread(onMessage);
    threads.push(thread);
    return thread;
  };
  const statuses: ReplicationStatus[] = [];
  const supervisor = new ReplicatorSupervisor({
    launch,
    clock,
    logger,
    random: () => 0.5,
    onStatus: (status) => statuses.push(status),
  });
  const stop = new AbortController();
  const running = supervisor.run(stop.signal);
  const thread = (index: number): ScriptedThread => {
    const found = threads[index];
    if (!found) throw new Error(`thread ${index} was not launched`);
    return found;
  };
  return { clock, threads, thread, logged, supervisor, stop, running };
}

const AWAY: ReplicatorFailure = {
  code: 'SOURCE_UNREACHABLE',
  message: 'nobody listens',
  remedy: 'start it',
  retryable: true,
};
const phase = (change: Partial<PhaseStatus> = {}): FromReplicator => ({
  kind: 'status',
  status: {
    generationId: 1,
    phase: 'streaming',
    snapshot: undefined,
    position: '00000000/00000001',
    checkpointOpId: 5n,
    rowsTotal: 3,
    commitLagMs: 2,
    configs: [],
    ...change,
  },
});

describe('the supervisor', () => {
  it('runs the thread again after failures, with growing pauses', async () => {
    const { clock, thread, stop, running } = setUp();
    const pauses: number[] = [];
    for (let attempt = 1; attempt <= 7; attempt++) {
      expect(thread(0).runs).toBe(attempt);
      thread(0).say({ kind: 'failed', failure: AWAY });
      const startMs = clock.now();
      while (thread(0).runs === attempt) await clock.advance(250);
      pauses.push(clock.now() - startMs);
    }
    expect(pauses).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000]);
    stop.abort();
    await running;
  });

  it('logs a failure once, its end, and its return', async () => {
    const { clock, thread, logged, stop, running } = setUp();
    for (let i = 0; i < 3; i++) {
      thread(0).say({ kind: 'failed', failure: AWAY });
      await clock.advance(5000);
    }
    thread(0).say({
      kind: 'failed',
      failure: { ...AWAY, code: 'SOURCE_AUTH_FAILED', message: 'refused' },
    });
    await clock.advance(10_000);
    thread(0).say(phase());
    thread(0).say({ kind: 'failed', failure: AWAY });
    await clock.advance(250);
    expect(logged).toEqual([
      'warn replication_failed SOURCE_UNREACHABLE',
      'warn replication_failed SOURCE_AUTH_FAILED',
      'info replication_recovered',
      'warn replication_failed SOURCE_UNREACHABLE',
    ]);
    stop.abort();
    await running;
  });

  it('shows a failure until the source answers again', async () => {
    const { clock, thread, supervisor, stop, running } = setUp();
    thread(0).say(phase());
    expect(supervisor.status).toMatchObject({
      state: 'streaming',
      checkpointOpId: '5',
      lagMs: 2,
      lastError: undefined,
    });
    thread(0).say({ kind: 'failed', failure: AWAY });
    await clock.advance(100);
    expect(supervisor.status).toMatchObject({
      state: 'waiting',
      lastError: { code: 'SOURCE_UNREACHABLE', remedy: 'start it' },
    });
    await clock.advance(1000);
    thread(0).say(phase({ phase: 'connecting' }));
    expect(supervisor.status).toMatchObject({
      state: 'connecting',
      lastError: { code: 'SOURCE_UNREACHABLE' },
    });
    thread(0).say(phase());
    expect(supervisor.status.lastError).toBeUndefined();
    stop.abort();
    await running;
  });

  it('counts as alive while it waits, and by the heartbeats of the thread otherwise', async () => {
    const { clock, thread, supervisor, stop, running } = setUp();
    thread(0).say(phase());
    await clock.advance(5000);
    expect(clock.now() - supervisor.status.touchedAtMs).toBe(5000);
    thread(0).say({ kind: 'heartbeat' });
    expect(supervisor.status.touchedAtMs).toBe(clock.now());
    thread(0).say({ kind: 'failed', failure: { ...AWAY, retryable: false } });
    await clock.advance(20_000);
    expect(supervisor.status.touchedAtMs).toBe(clock.now());
    stop.abort();
    await running;
  });

  it('replaces a thread that shows no sign of life', async () => {
    const { clock, thread, threads, logged, stop, running } = setUp();
    thread(0).say(phase());
    for (let i = 0; i < 60; i++) {
      await clock.advance(1000);
      thread(0).say({ kind: 'heartbeat' });
    }
    expect(threads).toHaveLength(1);
    await clock.advance(33_000);
    expect(thread(0).terminated).toBe(true);
    expect(logged).toEqual(['warn replication_failed REPLICATION_STALLED']);
    expect(thread(1).runs).toBe(1);
    stop.abort();
    await running;
  });

  it('replaces a thread that died', async () => {
    const { clock, thread, logged, stop, running } = setUp();
    thread(0).exit(new Error('out of memory'));
    await clock.advance(1000);
    expect(logged).toEqual(['warn replication_failed REPLICATION_STOPPED']);
    expect(thread(1).runs).toBe(1);
    stop.abort();
    await running;
  });

  it('asks the thread to stop, and makes it after a while', async () => {
    const first = setUp();
    await settle();
    first.stop.abort();
    await first.running;
    expect(first.thread(0).received).toEqual(['run', 'stop']);
    expect(first.thread(0).terminated).toBe(false);
    expect(first.supervisor.status.state).toBe('stopped');

    const second = setUp();
    await settle();
    second.thread(0).post = () => {};
    second.stop.abort();
    await second.clock.advance(9000);
    await second.running;
    expect(second.thread(0).terminated).toBe(true);
  });

  it('stops at once while it waits', async () => {
    const { thread, stop, running } = setUp();
    await settle();
    thread(0).say({ kind: 'failed', failure: AWAY });
    await settle();
    stop.abort();
    await vi.waitFor(() => running);
    expect(thread(0).received).toEqual(['run', 'stop']);
  });

  it('shows the new generation while the old one is replicated beside it', async () => {
    const { thread, supervisor, stop, running } = setUp();
    thread(0).say(phase({ generationId: 2, phase: 'snapshot' }));
    thread(0).say(phase({ generationId: 1 }));
    expect(supervisor.status).toMatchObject({ state: 'snapshotting', generationId: 2 });
    stop.abort();
    await running;
  });
});

describe('requests to the replicator', () => {
  const OUTCOME: DeployOutcome = {
    generationId: 3,
    sourceHandle: 'slot',
    kept: ['a'],
    filled: [],
    dropped: [],
    serves: true,
  };
  const deploy = { kind: 'deploy', configText: 'streams: {}' } as const;

  it('are answered one by one, in any order', async () => {
    const { thread, supervisor, stop, running } = setUp();
    const first = supervisor.request(deploy);
    const second = supervisor.request({ kind: 'rollBack' });
    const requests = thread(0).requests;
    expect(requests.map(({ request }) => request)).toEqual([deploy, { kind: 'rollBack' }]);
    const [one = 0, two = 0] = requests.map(({ id }) => id);
    const failure = { code: 'CONFIG_NO_PREVIOUS', message: 'none', remedy: 'r', retryable: false };
    thread(0).say({ kind: 'refusal', id: two, failure });
    thread(0).say({ kind: 'answer', id: one, outcome: OUTCOME });
    expect(await first).toEqual(OUTCOME);
    await expect(second).rejects.toMatchObject({
      code: 'CONFIG_NO_PREVIOUS',
      message: 'none',
      remedy: 'r',
      httpStatus: 422,
    });
    stop.abort();
    await running;
  });

  it('are refused while a failure is waited out, which is named', async () => {
    const { clock, thread, supervisor, stop, running } = setUp();
    thread(0).say({ kind: 'failed', failure: AWAY });
    await settle();
    await expect(supervisor.request(deploy)).rejects.toMatchObject({
      code: 'REPLICATION_WAITING',
      retryable: true,
      message: 'The replicator waits out a failure: nobody listens (SOURCE_UNREACHABLE)',
      remedy: 'start it',
    });
    await clock.advance(1000);
    const later = supervisor.request(deploy);
    thread(0).say({ kind: 'answer', id: thread(0).requests[0]?.id ?? 0, outcome: OUTCOME });
    expect(await later).toEqual(OUTCOME);
    stop.abort();
    await running;
  });

  it.each<[string, string, (thread: ScriptedThread, stop: AbortController) => void]>([
    ['fails', 'REPLICATION_WAITING', (thread) => thread.say({ kind: 'failed', failure: AWAY })],
    ['dies', 'REPLICATION_WAITING', (thread) => thread.exit(new Error('out of memory'))],
    ['is stopped', 'SYNC_SHUTTING_DOWN', (_thread, stop) => stop.abort()],
  ])('end when the replicator %s meanwhile', async (_how, code, act) => {
    const { thread, supervisor, stop, running } = setUp();
    const asked = supervisor.request(deploy);
    const refused = expect(asked).rejects.toMatchObject({ code });
    act(thread(0), stop);
    await refused;
    stop.abort();
    await running;
  });

  it('end after 30 s without an answer, and a later one is ignored', async () => {
    const { clock, thread, supervisor, stop, running } = setUp();
    const asked = supervisor.request(deploy);
    const refused = expect(asked).rejects.toMatchObject({
      code: 'API_DEPLOY_UNANSWERED',
      httpStatus: 504,
    });
    for (let second = 0; second < 31; second++) {
      await clock.advance(1000);
      thread(0).say({ kind: 'heartbeat' });
    }
    await refused;
    thread(0).say({ kind: 'answer', id: thread(0).requests[0]?.id ?? 0, outcome: OUTCOME });
    stop.abort();
    await running;
  });
});
