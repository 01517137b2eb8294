import { pause, type AppError, type Clock } from '@sluice/base';
import { fromFailure, type ReplicatorFailure } from './messages.ts';

/** What comes back for a request, with its id. */
export type Answer<T> =
  | { readonly kind: 'answer'; readonly id: number; readonly outcome: T }
  | { readonly kind: 'refusal'; readonly id: number; readonly failure: ReplicatorFailure };

export interface PendingRequestsOptions {
  readonly clock: Clock;
  readonly answerMs: number;
  /** What a request fails with that got no answer in time. */
  readonly unanswered: (afterSeconds: number) => AppError;
}

interface Pending<T> {
  readonly resolve: (outcome: T) => void;
  readonly reject: (error: AppError) => void;
}

/** Requests that another thread or process has not answered yet, each with a limit of time. */
export class PendingRequests<T> {
  readonly #options: PendingRequestsOptions;
  readonly #pending = new Map<number, Pending<T>>();
  #nextId = 1;

  constructor(options: PendingRequestsOptions) {
    this.#options = options;
  }

  /**
   * Sends a request, which must carry the id, and waits for its answer.
   *
   * @throws AppError the other side's own; `unanswered` after `answerMs`.
   */
  async send(post: (id: number) => void): Promise<T> {
    const { clock, answerMs, unanswered } = this.#options;
    const id = this.#nextId++;
    const answered = new AbortController();
    try {
      return await new Promise<T>((resolve, reject) => {
        this.#pending.set(id, { resolve, reject });
        void pause(clock, answerMs, answered.signal).then(() =>
          reject(unanswered(answerMs / 1000)),
        );
        post(id);
      });
    } finally {
      this.#pending.delete(id);
      answered.abort();
    }
  }

  /** An answer that comes after its time is ignored. */
  take(answer: Answer<T>): void {
    const pending = this.#pending.get(answer.id);
    if (answer.kind === 'answer') pending?.resolve(answer.outcome);
    else pending?.reject(fromFailure(answer.failure));
  }

  /** Nobody will answer any more. */
  rejectAll(error: AppError): void {
    for (const { reject } of this.#pending.values()) reject(error);
  }
}
