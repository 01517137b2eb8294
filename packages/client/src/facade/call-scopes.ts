import { ClientError } from '../errors.ts';
import type { CallContext } from './call-context.ts';

/** A call that holds something for which others wait. */
export class CallScope {
  readonly owner: CallScopes;
  /** The one inside which it was opened. */
  readonly outer: CallScope | undefined;
  isOver = false;

  constructor(owner: CallScopes, outer: CallScope | undefined) {
    this.owner = owner;
    this.outer = outer;
  }
}

/** Notices whoever waits for the end of a call from inside of it, which would never end. */
export class CallScopes {
  readonly #context: CallContext;

  constructor(context: CallContext) {
    this.#context = context;
  }

  /** For `run`; whoever opens it sets `isOver`. */
  open(): CallScope {
    return new CallScope(this, this.#around());
  }

  run<T>(scope: CallScope, body: () => T): T {
    return this.#context.run(scope, body);
  }

  /** @throws ClientError `REENTRANT` from inside a scope of these that is not over */
  checkOutside(): void {
    for (let scope = this.#around(); scope !== undefined; scope = scope.outer) {
      if (scope.owner === this && !scope.isOver) throw reentrant();
    }
  }

  #around(): CallScope | undefined {
    const value = this.#context.getStore();
    return value instanceof CallScope ? value : undefined;
  }
}

function reentrant(): ClientError {
  return new ClientError(
    'REENTRANT',
    'The database was called inside one of its own transactions, which would wait for itself: use the `tx` that the ' +
      'callback was given, and `tx.savepoint(...)` for a part that may fail alone',
  );
}
