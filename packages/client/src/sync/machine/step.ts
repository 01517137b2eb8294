import type { Line } from '@sluice/protocol';
import { ClientError } from '../../errors.ts';
import { fromLine, fullScope, partialScope, patched } from './checkpoint.ts';
import { HEALTHY_MS, IDLE_MS, PREFETCH_SECONDS, retryDelayMs, SUSPECT_MS } from './delays.ts';
import type { Outcome, SyncAction, SyncEvent, TimerName } from './events.ts';
import type { Checkpoint, Phase, Streaming, SyncState } from './state.ts';

/** What a decision may use besides state and event. */
export interface StepContext {
  /** A clock that only goes forward, in milliseconds. */
  readonly nowMs: number;
  /** In [0, 1). */
  readonly random: number;
  /** The number that the next stream gets; grows with every `openStream`. */
  readonly nextStream: number;
}

export interface Step {
  readonly state: SyncState;
  readonly actions: readonly SyncAction[];
}

/** The next state, and what is to be done; README.md of this folder has the table. Pure. */
export function step(state: SyncState, event: SyncEvent, context: StepContext): Step {
  switch (event.kind) {
    case 'connect':
      return authorize(withoutFailures(state), { fresh: false, hidden: false });
    case 'disconnect':
      return leave(withoutFailures(state), { kind: 'stopped' });
    case 'pause':
      return state.phase.kind === 'stopped' ? stay(state) : leave(state, { kind: 'paused' });
    case 'resume':
      return state.phase.kind === 'paused'
        ? authorize(state, { fresh: false, hidden: false })
        : stay(state);
    case 'hint':
      return hinted(state, context);
    case 'credentials':
      return credentialsCame(state, event.outcome, context);
    case 'credentialsFailed':
      return credentialsFailed(state, event.error, context);
    case 'subscriptionsChanged':
      return subscriptionsChanged(state, context);
    case 'uploadsAcknowledged':
      return state.held === undefined
        ? stay(state)
        : { state, actions: [{ kind: 'publish', scope: fullScope(state.held) }] };
    case 'completed':
      return completed(state, event.scope.kind, event.outcome, context);
    case 'timer':
      return timerFired(state, event.timer, context);
    case 'opened':
    case 'line':
    case 'alive':
    case 'ended':
    case 'failed':
      return streamEvent(state, event, context);
  }
}

type StreamEvent = Extract<SyncEvent, { readonly stream: number }>;

function streamEvent(state: SyncState, event: StreamEvent, context: StepContext): Step {
  const { phase } = state;
  if (phase.kind !== 'opening' && phase.kind !== 'streaming') return stay(state);
  if (phase.stream !== event.stream) return stay(state);
  switch (event.kind) {
    case 'opened':
      return phase.kind === 'opening' ? opened(state, event.stream, context) : stay(state);
    case 'line':
      return phase.kind === 'streaming'
        ? lineCame(state, phase, event.line, context)
        : fail(state, protocolError('A line came before the stream was open.'), context);
    case 'alive':
      return phase.kind === 'streaming' ? alive(state, phase, context) : stay(state);
    case 'ended':
      return fail(state, undefined, context);
    case 'failed':
      return event.unauthorized
        ? refused(state, event.error, context)
        : fail(state, event.error, context);
  }
}

/** A token may have run out unnoticed, so one new one is tried at once. */
function refused(state: SyncState, error: ClientError, context: StepContext): Step {
  const { phase } = state;
  if (phase.kind === 'opening' && state.failures === 0) {
    return authorize(failedOnce(state), { fresh: true, hidden: phase.hidden });
  }
  return withoutCredentials(fail(state, error, context));
}

function opened(state: SyncState, stream: number, { nowMs }: StepContext): Step {
  const phase: Phase = {
    kind: 'streaming',
    stream,
    openedAtMs: nowMs,
    lastLineAtMs: nowMs,
    hadLine: false,
    refreshing: false,
  };
  return { state: { ...state, phase }, actions: [startTimer('idle', IDLE_MS)] };
}

/** As good as a keepalive line, which a WebSocket does not bring (spec/protocol.md 2.9). */
function alive(state: SyncState, before: Streaming, { nowMs }: StepContext): Step {
  const phase: Streaming = { ...before, lastLineAtMs: nowMs };
  return { state: { ...state, phase }, actions: [{ kind: 'renewSubscriptions' }] };
}

function lineCame(state: SyncState, before: Streaming, line: Line, context: StepContext): Step {
  const phase: Streaming = { ...before, lastLineAtMs: context.nowMs, hadLine: true };
  const next = byLine({ ...state, phase }, phase, line, context);
  if (before.hadLine) return next;
  return { state: next.state, actions: [...next.actions, { kind: 'upload' }] };
}

function byLine(state: SyncState, phase: Streaming, line: Line, context: StepContext): Step {
  switch (line.kind) {
    case 'checkpoint': {
      const checkpoint = fromLine(line);
      return {
        state: { ...state, checkpoint, held: undefined },
        actions: [
          { kind: 'noteStreams', streams: line.streams },
          { kind: 'retain', buckets: new Set(checkpoint.buckets.keys()) },
        ],
      };
    }
    case 'checkpoint_diff': {
      if (state.checkpoint === undefined) return fail(state, early(line), context);
      const checkpoint = patched(state.checkpoint, line);
      return {
        state: { ...state, checkpoint, held: undefined },
        actions: [{ kind: 'remove', buckets: line.removedBuckets }],
      };
    }
    case 'data':
      return { state, actions: [{ kind: 'ingest', line }] };
    case 'checkpoint_complete':
      return complete(state, line, fullScope, context);
    case 'partial_checkpoint_complete':
      return complete(state, line, (target) => partialScope(target, line.priority), context);
    case 'token_expires_in':
      return tokenExpires(state, phase, line.seconds, context);
    default:
      return unreachable(line);
  }
}

function complete(
  state: SyncState,
  line: Line,
  scope: (checkpoint: Checkpoint) => ReturnType<typeof fullScope>,
  context: StepContext,
): Step {
  if (state.checkpoint === undefined) return fail(state, early(line), context);
  return { state, actions: [{ kind: 'complete', scope: scope(state.checkpoint) }] };
}

/** An app that keeps handing out tokens that have run out is asked less and less often. */
function tokenExpires(
  state: SyncState,
  phase: Streaming,
  seconds: number,
  context: StepContext,
): Step {
  if (seconds <= 0) {
    if (isHealthy(phase, context.nowMs)) return authorize(state, { fresh: true, hidden: true });
    const error = new ClientError('TOKEN_EXPIRED', 'The token has expired.');
    return withoutCredentials(fail(state, error, context));
  }
  if (seconds > PREFETCH_SECONDS) return { state, actions: [{ kind: 'renewSubscriptions' }] };
  if (phase.refreshing) return stay(state);
  return {
    state: { ...state, phase: { ...phase, refreshing: true } },
    actions: [{ kind: 'fetchCredentials', fresh: true }],
  };
}

function completed(
  state: SyncState,
  scope: 'full' | 'partial',
  outcome: Outcome,
  context: StepContext,
): Step {
  switch (outcome.kind) {
    case 'published':
      return stay({ ...state, held: scope === 'full' ? undefined : state.held });
    case 'closed':
      return stay({ ...state, held: scope === 'full' ? state.checkpoint : state.held });
    case 'mismatch': {
      const text = `${outcome.buckets.length} buckets did not add up to the service's checksums and are downloaded anew.`;
      return fail(state, new ClientError('CHECKSUM', text), context);
    }
  }
}

function credentialsCame(
  state: SyncState,
  outcome: 'fetched' | 'none',
  context: StepContext,
): Step {
  const { phase } = state;
  if (phase.kind === 'authorizing') {
    return outcome === 'none'
      ? leave(state, { kind: 'signedOut' })
      : open(state, { hidden: phase.hidden }, context);
  }
  if (phase.kind !== 'streaming' || !phase.refreshing) return stay(state);
  if (outcome === 'fetched') return open(state, { hidden: true }, context);
  return stay({ ...state, phase: { ...phase, refreshing: false } });
}

/** Ahead of the expiry a failure costs nothing yet: the token's end will ask again. */
function credentialsFailed(state: SyncState, error: ClientError, context: StepContext): Step {
  const { phase } = state;
  if (phase.kind === 'authorizing') return fail(state, error, context);
  if (phase.kind !== 'streaming') return stay(state);
  return stay({ ...state, phase: { ...phase, refreshing: false } });
}

function subscriptionsChanged(state: SyncState, context: StepContext): Step {
  const { phase } = state;
  if (phase.kind === 'streaming') return open(state, { hidden: true }, context);
  if (phase.kind === 'opening') return open(state, { hidden: phase.hidden }, context);
  return stay(state);
}

function hinted(state: SyncState, { nowMs }: StepContext): Step {
  const { phase } = state;
  if (phase.kind === 'waiting' || phase.kind === 'signedOut') {
    return authorize(withoutFailures(state), { fresh: false, hidden: false });
  }
  const silent = phase.kind === 'streaming' && nowMs - phase.lastLineAtMs >= SUSPECT_MS;
  return silent ? authorize(state, { fresh: false, hidden: true }) : stay(state);
}

function timerFired(state: SyncState, timer: TimerName, context: StepContext): Step {
  const { phase } = state;
  if (timer === 'retry') {
    return phase.kind === 'waiting'
      ? authorize(state, { fresh: false, hidden: false })
      : stay(state);
  }
  if (phase.kind !== 'streaming') return stay(state);
  const silentMs = context.nowMs - phase.lastLineAtMs;
  if (silentMs < IDLE_MS) return { state, actions: [startTimer('idle', IDLE_MS - silentMs)] };
  const text = `The service has said nothing for ${Math.round(silentMs / 1000)} s.`;
  return fail(state, new ClientError('STREAM_SILENT', text), context);
}

/** The stream is given up; another attempt follows after a while. */
function fail(state: SyncState, error: ClientError | undefined, context: StepContext): Step {
  const { failures } = afterStream(state, context.nowMs);
  const left = leave(state, { kind: 'waiting', error });
  const retry = startTimer('retry', retryDelayMs(failures, context.random));
  return {
    state: { ...left.state, failures: failures + 1 },
    actions: [...left.actions, retry],
  };
}

/** Whatever failed before a healthy stream no longer counts. */
function afterStream(state: SyncState, nowMs: number): SyncState {
  const { phase } = state;
  const healthy = phase.kind === 'streaming' && isHealthy(phase, nowMs);
  return healthy ? withoutFailures(state) : state;
}

function isHealthy({ openedAtMs }: Streaming, nowMs: number): boolean {
  return nowMs - openedAtMs >= HEALTHY_MS;
}

function authorize(
  state: SyncState,
  { fresh, hidden }: { readonly fresh: boolean; readonly hidden: boolean },
): Step {
  const left = leave(state, { kind: 'authorizing', hidden });
  return { state: left.state, actions: [...left.actions, { kind: 'fetchCredentials', fresh }] };
}

function open(
  state: SyncState,
  { hidden }: { readonly hidden: boolean },
  { nextStream }: StepContext,
): Step {
  const left = leave(state, { kind: 'opening', stream: nextStream, hidden });
  const opening: SyncAction = { kind: 'openStream', stream: nextStream };
  return { state: left.state, actions: [...left.actions, { kind: 'renewSubscriptions' }, opening] };
}

/** Another phase, with nothing left over of the one before. A held checkpoint dies with its stream. */
function leave(state: SyncState, phase: Phase): Step {
  const actions: SyncAction[] = [];
  const before = state.phase.kind;
  if (before === 'opening' || before === 'streaming') actions.push({ kind: 'closeStream' });
  if (before === 'streaming') actions.push({ kind: 'stopTimer', timer: 'idle' });
  if (before === 'waiting') actions.push({ kind: 'stopTimer', timer: 'retry' });
  return { state: { ...state, phase, checkpoint: undefined, held: undefined }, actions };
}

function withoutCredentials({ state, actions }: Step): Step {
  return { state, actions: [{ kind: 'dropCredentials' }, ...actions] };
}

function stay(state: SyncState): Step {
  return { state, actions: [] };
}

function withoutFailures(state: SyncState): SyncState {
  return { ...state, failures: 0 };
}

function failedOnce(state: SyncState): SyncState {
  return { ...state, failures: state.failures + 1 };
}

function startTimer(timer: TimerName, ms: number): SyncAction {
  return { kind: 'startTimer', timer, ms };
}

function early(line: Line): ClientError {
  return protocolError(`A ${line.kind} line came before any checkpoint.`);
}

/** Unknown kinds of lines are dropped before they get here (spec/protocol.md 2.3). */
function unreachable(line: never): never {
  throw new ClientError('BUG', `Unknown line ${JSON.stringify(line)}`);
}

function protocolError(text: string): ClientError {
  return new ClientError('PROTOCOL', text);
}
