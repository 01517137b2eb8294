import { parentPort } from 'node:worker_threads';
import { Reject, type FunctionDefinition } from '../define.ts';
import type { CallFailure, CallValue, ToWorker } from '../messages.ts';
import { collectDefinitions } from './definitions.ts';
import { describeError, HostLink } from './host-link.ts';
import { redirectConsole } from './redirect-console.ts';
import { runEndpoint, runHook, runSignIn, type RunningCall } from './run-call.ts';

type Modules = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/**
 * What runs in a worker thread: loads the app's files, says what they define, and then answers one
 * call at a time. The bundler makes one script of this and of the app's files.
 */
export function serve(loadModules: () => Modules): void {
  const link = new HostLink();
  redirectConsole(link);
  process.on('unhandledRejection', (error) => link.reportUnhandled(error));
  try {
    const { definitions, manifest } = collectDefinitions(loadModules());
    const server = new CallServer(definitions, link);
    parentPort?.on('message', (message: ToWorker) => server.handle(message));
    link.post({ kind: 'ready', manifest });
  } catch (error) {
    link.post({ kind: 'load_failed', ...describeError(error) });
  }
}

class CallServer {
  readonly #definitions: readonly FunctionDefinition[];
  readonly #link: HostLink;
  #running: { readonly id: number; readonly abort: AbortController } | undefined;
  /** By call: work whose transaction has not ended. */
  readonly #afterCommits = new Map<number, RunningCall['afterCommits']>();

  constructor(definitions: readonly FunctionDefinition[], link: HostLink) {
    this.#definitions = definitions;
    this.#link = link;
  }

  handle(message: ToWorker): void {
    switch (message.kind) {
      case 'call':
        void this.#answer(message);
        break;
      case 'abort':
        this.#abort(message.id);
        break;
      case 'forget':
        this.#afterCommits.delete(message.callId);
        break;
      case 'answer':
        this.#link.answer(message.requestId, message.answer);
        break;
    }
  }

  #abort(id: number): void {
    if (this.#running?.id !== id) return;
    this.#link.post({ kind: 'abort_heard', id });
    this.#running.abort.abort(new DOMException("The function's time is over", 'TimeoutError'));
  }

  async #answer(message: Extract<ToWorker, { kind: 'call' }>): Promise<void> {
    const { id } = message;
    const abort = new AbortController();
    const call = { id, link: this.#link, signal: abort.signal, afterCommits: [] };
    this.#running = { id, abort };
    this.#link.startCall(message.name);
    try {
      const value = await this.#run(message, call);
      const afterCommits = call.afterCommits.length;
      if (afterCommits > 0) this.#afterCommits.set(id, call.afterCommits);
      this.#link.post({ kind: 'result', id, value, afterCommits });
    } catch (error) {
      this.#link.post({ kind: 'failure', id, failure: this.#failure(error) });
    }
  }

  async #run(
    { index, input }: Extract<ToWorker, { kind: 'call' }>,
    call: RunningCall,
  ): Promise<CallValue> {
    if (input.kind === 'after_commit') return this.#runAfterCommits(input.callId);
    const definition = this.#definitions[index];
    if (input.kind === 'hook' && definition?.kind === 'table') {
      return runHook(definition.functions, input, call);
    }
    if (input.kind === 'endpoint' && definition?.kind === 'endpoint') {
      return runEndpoint(definition, input, call);
    }
    if (input.kind === 'sign_in' && definition?.kind === 'sign_in') {
      return runSignIn(definition.functions, input, call);
    }
    throw new Error(`There is no ${input.kind} at ${index}`);
  }

  /** All of them, also after one has failed; the first error is then thrown. */
  async #runAfterCommits(callId: number): Promise<CallValue> {
    const works = this.#afterCommits.get(callId) ?? [];
    this.#afterCommits.delete(callId);
    const errors: unknown[] = [];
    for (const work of works) {
      try {
        await work();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
    return { kind: 'done' };
  }

  #failure(error: unknown): CallFailure {
    if (error instanceof Reject) {
      const { message, code, status } = error;
      return { kind: 'reject', message: String(message), code: optionalText(code), status };
    }
    const requestId = this.#link.requestOf(error);
    if (requestId !== undefined) return { kind: 'database', requestId };
    return { kind: 'error', ...describeError(error) };
  }
}

/** What the types say, the app need not have kept to. */
function optionalText(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}
