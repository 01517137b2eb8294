import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { AppError, ConfigError, type Logger } from '@sluice/base';
import type { FunctionBundle } from './bundle-functions.ts';
import type {
  CallFailure,
  CallInput,
  CallValue,
  FromWorker,
  FunctionManifest,
  ToWorker,
} from './messages.ts';

export interface WorkerLimits {
  /** Of the thread's JavaScript heap. Buffers lie outside of it. */
  readonly memoryMb: number;
  /** For loading the files. */
  readonly loadTimeoutMs: number;
  /** After the end of a call's time: for its thread to hear of it, and for the call to end. */
  readonly graceMs: number;
}

export interface CallOutcome {
  readonly value: CallValue;
  readonly afterCommits: number;
}

export interface FunctionCall {
  readonly index: number;
  readonly name: string;
  readonly input: CallInput;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Does what the function asks of the database. Its requests end with the call. */
  readonly onRequest: (message: Extract<FromWorker, { kind: 'request' }>) => Promise<ToWorker>;
}

/** A function threw; what it threw. */
export class FunctionFailure extends Error {
  readonly failure: CallFailure;

  constructor(failure: CallFailure) {
    super(failure.kind === 'database' ? 'the database refused a statement' : failure.message);
    this.failure = failure;
  }
}

/** The script as a CommonJS module of the app's folder, with the source map that it carries. */
const BOOTSTRAP = `
process.setSourceMapsEnabled(true);
const { Module } = require('node:module');
const { workerData: { code, file, paths } } = require('node:worker_threads');
const script = new Module(file);
script.filename = file;
script.paths = Module._nodeModulePaths(paths);
script._compile(code, file);`;

/**
 * A thread that runs the app's functions, one call at a time: whatever becomes of the thread - a
 * loop without end, no memory left, `process.exit()` - is the doing of that call, and concerns no other.
 */
export class FunctionWorker {
  readonly #worker: Worker;
  readonly #logger: Logger;
  readonly #limits: WorkerLimits;
  readonly #exited: Promise<void>;
  #manifest: FunctionManifest | undefined;
  #death: string | undefined;
  #nextCallId = 1;
  #onMessage: ((message: FromWorker) => void) | undefined;
  #onDeath: (() => void) | undefined;

  private constructor(bundle: FunctionBundle, limits: WorkerLimits, logger: Logger) {
    this.#limits = limits;
    this.#logger = logger;
    this.#worker = new Worker(BOOTSTRAP, {
      eval: true,
      name: 'functions',
      workerData: { code: bundle.code, file: bundle.file, paths: path.dirname(bundle.file) },
      resourceLimits: { maxOldGenerationSizeMb: limits.memoryMb, stackSizeMb: 4 },
      stdout: true,
      stderr: true,
      execArgv: [],
    });
    this.#forwardOutput();
    this.#worker.on('message', (message: FromWorker) => this.#receive(message));
    this.#worker.on('messageerror', (error) => this.#die(error.message));
    this.#worker.on('error', (error: unknown) =>
      this.#die(error instanceof Error ? (error.stack ?? error.message) : String(error)),
    );
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', (code) => {
        this.#die(`the thread ended with code ${code}`);
        resolve();
      });
    });
  }

  /**
   * Starts a thread and loads the files in it.
   *
   * @throws ConfigError `FUNCTION_INVALID` when a file throws while it is loaded, or takes too long.
   */
  static async start(
    bundle: FunctionBundle,
    limits: WorkerLimits,
    logger: Logger,
  ): Promise<FunctionWorker> {
    const worker = new FunctionWorker(bundle, limits, logger);
    const problem = await worker.#load();
    if (problem === undefined) return worker;
    await worker.terminate();
    throw new ConfigError('FUNCTION_INVALID', problem);
  }

  get isAlive(): boolean {
    return this.#death === undefined;
  }

  get manifest(): FunctionManifest {
    return this.#manifest ?? { tables: [], endpoints: [], signIns: [] };
  }

  /** Resolves when the thread has ended. */
  async terminate(): Promise<void> {
    this.#die('it was stopped');
    await this.#worker.terminate();
    await this.#exited;
  }

  /**
   * Makes a call. `id` is needed again for the work after the commit.
   *
   * @throws FunctionFailure what the function threw
   * @throws AppError `FUNCTION_TIMEOUT` it waited too long, `FUNCTION_STUCK` it computed too long,
   * `FUNCTION_ENDED` it took its thread down. In the last two cases the worker is not alive any more.
   */
  async call(call: FunctionCall): Promise<{ readonly id: number; readonly outcome: CallOutcome }> {
    const id = this.#nextCallId++;
    const { promise: ended, resolve, reject } = promiseParts<CallOutcome>();
    const running = new Set<Promise<void>>();
    this.#onDeath = () => reject(this.#endedError(call.name));
    this.#onMessage = (message) => {
      if (message.kind === 'request') {
        if (message.callId !== id) return; // what an earlier call left behind
        const answered = this.#answer(call, message).finally(() => running.delete(answered));
        running.add(answered);
      } else if (message.kind === 'result' && message.id === id) {
        resolve({ value: message.value, afterCommits: message.afterCommits });
      } else if (message.kind === 'failure' && message.id === id) {
        reject(new FunctionFailure(message.failure));
      }
    };
    this.#worker.ref();
    if (!this.isAlive) this.#onDeath();
    else this.#post({ kind: 'call', id, index: call.index, name: call.name, input: call.input });
    try {
      const outcome = await this.#withinTime(id, call, ended);
      // Statements that the function did not wait for belong to its transaction all the same.
      await Promise.all(running);
      return { id, outcome };
    } finally {
      this.#onMessage = undefined;
      this.#onDeath = undefined;
      this.#worker.unref();
    }
  }

  /** The transaction of that call did not commit. */
  forget(callId: number): void {
    if (this.isAlive) this.#post({ kind: 'forget', callId });
  }

  async #withinTime(
    id: number,
    call: FunctionCall,
    ended: Promise<CallOutcome>,
  ): Promise<CallOutcome> {
    const overtime = promiseParts<'overtime'>();
    const timer = setTimeout(() => overtime.resolve('overtime'), call.timeoutMs);
    const onAbort = () => overtime.resolve('overtime');
    call.signal?.addEventListener('abort', onAbort, { once: true });
    if (call.signal?.aborted) onAbort();
    try {
      const first = await Promise.race([ended, overtime.promise]);
      return first === 'overtime' ? await this.#overtime(id, call, ended) : first;
    } finally {
      clearTimeout(timer);
      call.signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Ends a call whose time is over; its thread lives on only if the call ends by itself now. */
  async #overtime(id: number, call: FunctionCall, ended: Promise<CallOutcome>): Promise<never> {
    const settled = ended.then(
      () => 'settled' as const,
      () => 'settled' as const,
    );
    const { promise: heard, resolve } = promiseParts<'heard'>();
    const next = this.#onMessage;
    this.#onMessage = (message) => {
      if (message.kind === 'abort_heard' && message.id === id) resolve('heard');
      else next?.(message);
    };
    this.#post({ kind: 'abort', id });
    const answer = await Promise.race([settled, heard, after(this.#limits.graceMs)]);
    const last =
      answer === 'heard' ? await Promise.race([settled, after(this.#limits.graceMs)]) : answer;
    if (last !== 'settled') await this.terminate();
    const code = answer === undefined ? 'FUNCTION_STUCK' : 'FUNCTION_TIMEOUT';
    const doing = answer === undefined ? 'computed' : 'waited';
    throw new AppError(code, `The function ${call.name} ${doing} longer than ${call.timeoutMs} ms`);
  }

  async #answer(
    call: FunctionCall,
    message: Extract<FromWorker, { kind: 'request' }>,
  ): Promise<void> {
    const answer = await call.onRequest(message);
    if (!this.isAlive) return;
    try {
      this.#post(answer);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const shown = {
        kind: 'error',
        message: text,
        code: undefined,
        constraint: undefined,
      } as const;
      this.#post({ kind: 'answer', requestId: message.requestId, answer: shown });
    }
  }

  async #load(): Promise<string | undefined> {
    const loaded = promiseParts<string | undefined>();
    this.#onMessage = (message) => {
      if (message.kind === 'ready') {
        this.#manifest = message.manifest;
        loaded.resolve(undefined);
      } else if (message.kind === 'load_failed') {
        loaded.resolve(message.stack || message.message);
      }
    };
    this.#onDeath = () =>
      loaded.resolve(`Loading the functions ended their thread: ${this.#death}`);
    const { loadTimeoutMs } = this.#limits;
    const timer = setTimeout(
      () => loaded.resolve(`Loading the functions takes longer than ${loadTimeoutMs} ms`),
      loadTimeoutMs,
    );
    const problem = await loaded.promise;
    clearTimeout(timer);
    this.#onMessage = undefined;
    this.#onDeath = undefined;
    // Only calls keep the process alive, and they are waited for elsewhere.
    this.#worker.unref();
    return problem;
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromWorker): void {
    if (message.kind === 'log') {
      const facts = { ...message.facts, function: message.name, message: message.message };
      this.#logger[message.level]('function_log', facts);
    } else if (message.kind === 'unhandled') {
      const { name, stack } = message;
      const facts = { function: name, message: message.message, stack };
      this.#logger.error('function_rejection_unhandled', facts);
    } else {
      this.#onMessage?.(message);
    }
  }

  /** What is written to the streams themselves, past `console`. */
  #forwardOutput(): void {
    for (const [stream, level] of [
      [this.#worker.stdout, 'info'],
      [this.#worker.stderr, 'warn'],
    ] as const) {
      stream.on('data', (chunk: Buffer) => {
        const message = chunk.toString('utf8').trimEnd().slice(0, 4_000);
        this.#logger[level]('function_output', { message });
      });
    }
  }

  #die(reason: string): void {
    if (this.#death !== undefined) return;
    this.#death = reason;
    this.#onDeath?.();
  }

  #endedError(name: string): AppError {
    return new AppError(
      'FUNCTION_ENDED',
      `The function ${name} took its thread down: ${this.#death}`,
    );
  }
}

function promiseParts<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  promise.catch(() => {}); // it may have no reader any more when it fails
  return { promise, resolve, reject };
}

/** Resolves with undefined. */
function after(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ms).unref());
}
