import { parentPort } from 'node:worker_threads';
import { SqlError, type QueryAnswer } from '../define.ts';
import type { DatabaseAnswer, DatabaseRequest, FromWorker, LogLevel } from '../messages.ts';

/** Log lines of one call; more are counted, not sent, so that a loop does not fill the host's memory. */
const MAX_LINES = 500;
const MAX_LINE_CHARS = 4_000;

/** The worker's side of the message channel. */
export class HostLink {
  #name = '';
  #lines = 0;
  #nextRequestId = 1;
  readonly #waiting = new Map<number, (answer: DatabaseAnswer) => void>();
  /** So that the host can go on with the database's own error when a function lets it through. */
  readonly #requestOfError = new WeakMap<Error, number>();

  post(message: FromWorker): void {
    parentPort?.postMessage(message);
  }

  /** From now on, log lines are of this function. */
  startCall(name: string): void {
    this.#name = name;
    this.#lines = 0;
  }

  log(level: LogLevel, message: string, facts: Readonly<Record<string, unknown>> = {}): void {
    this.#lines += 1;
    if (this.#lines > MAX_LINES) return;
    const isLast = this.#lines === MAX_LINES;
    const text = isLast
      ? `more than ${MAX_LINES} lines: the rest of this call is left out`
      : message;
    const shown = { name: this.#name, level, message: text.slice(0, MAX_LINE_CHARS) };
    this.post({ kind: 'log', ...shown, facts: plainFacts(facts) });
  }

  reportUnhandled(error: unknown): void {
    const { message, stack } = describeError(error);
    this.post({ kind: 'unhandled', name: this.#name, message, stack });
  }

  /** @throws SqlError */
  async request(
    callId: number,
    request: DatabaseRequest,
  ): Promise<QueryAnswer<Readonly<Record<string, unknown>>>> {
    const requestId = this.#nextRequestId++;
    const answered = new Promise<DatabaseAnswer>((resolve) => {
      this.#waiting.set(requestId, resolve);
    });
    try {
      this.post({ kind: 'request', callId, requestId, request });
    } catch (error) {
      this.#waiting.delete(requestId); // a parameter that cannot be sent, e.g. a function
      throw error;
    }
    const answer = await answered;
    if (answer.kind === 'rows') return { rows: answer.rows, rowCount: answer.rowCount };
    const error = new SqlError(answer.message, answer);
    this.#requestOfError.set(error, requestId);
    throw error;
  }

  answer(requestId: number, answer: DatabaseAnswer): void {
    this.#waiting.get(requestId)?.(answer);
    this.#waiting.delete(requestId);
  }

  requestOf(error: unknown): number | undefined {
    return error instanceof Error ? this.#requestOfError.get(error) : undefined;
  }
}

export function describeError(error: unknown): {
  readonly message: string;
  readonly stack: string;
} {
  try {
    if (error instanceof Error) {
      return { message: String(error.message), stack: String(error.stack).slice(0, 8_000) };
    }
    return { message: String(error), stack: '' };
  } catch {
    return { message: 'an error that cannot be shown', stack: '' }; // its own getters throw
  }
}

/** Facts that can be sent and printed, whatever the function gave. */
function plainFacts(facts: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  try {
    const text = JSON.stringify(facts, (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    if (text.length > MAX_LINE_CHARS) return { facts: text.slice(0, MAX_LINE_CHARS) };
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch (error) {
    return { factsError: describeError(error).message };
  }
}
