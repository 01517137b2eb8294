import { AppError, pause, type Clock } from '@sluice/base';
import type { DeployOutcome } from '@sluice/replication';
import { fromFailure, type ReplicatorAnswer, type ToReplicator } from './messages.ts';
import type { ReplicatorRequest } from './messages.ts';

/** Long enough to connect and write one batch; what is asked for needs no more. */
const ANSWER_MS = 30_000;

interface Pending {
  readonly resolve: (outcome: DeployOutcome) => void;
  readonly reject: (error: AppError) => void;
}

/** Requests that the replicator thread has not answered yet, each with a limit of time. */
export class PendingRequests {
  readonly #clock: Clock;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Sends a request and waits for its answer.
   *
   * @throws AppError the replicator's own; `API_DEPLOY_UNANSWERED` after 30 s.
   */
  async send(
    request: ReplicatorRequest,
    post: (message: ToReplicator) => void,
  ): Promise<DeployOutcome> {
    const id = this.#nextId++;
    const answered = new AbortController();
    try {
      return await new Promise<DeployOutcome>((resolve, reject) => {
        this.#pending.set(id, { resolve, reject });
        void pause(this.#clock, ANSWER_MS, answered.signal).then(() => reject(unanswered()));
        post({ kind: 'request', id, request });
      });
    } finally {
      this.#pending.delete(id);
      answered.abort();
    }
  }

  /** An answer that comes after its time is ignored. */
  take(answer: ReplicatorAnswer): void {
    const pending = this.#pending.get(answer.id);
    if (answer.kind === 'answer') pending?.resolve(answer.outcome);
    else pending?.reject(fromFailure(answer.failure));
  }

  /** Nobody will answer any more. */
  rejectAll(error: AppError): void {
    for (const { reject } of this.#pending.values()) reject(error);
  }
}

function unanswered(): AppError {
  return new AppError(
    'API_DEPLOY_UNANSWERED',
    `The replicator did not answer within ${ANSWER_MS / 1000} s`,
  );
}
