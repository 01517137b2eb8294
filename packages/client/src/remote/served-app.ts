import { pause, type ClientClock } from '../clock.ts';
import type { StatementResult } from '../database/writer-session.ts';
import { ClientError, DatabaseClosedError } from '../errors.ts';
import type { HeldStream } from '../facade/database-access.ts';
import type { DatabaseEngine } from '../facade/database-engine.ts';
import type { ChangeEvent } from '../watch/query-runner.ts';
import type { Channel } from './channel.ts';
import type { ConnectingApp, Connectors } from './connectors.ts';
import { Peer, type Handlers } from './peer.ts';
import { toPlainStatus } from './plain-status.ts';
import {
  PROTOCOL_VERSION,
  type AppEvent,
  type AppMethods,
  type Greeting,
  type HostEvent,
  type HostMethods,
  type Introduction,
  type PlainResult,
  type WritingCall,
} from './protocol.ts';
import { ServedReads } from './served-reads.ts';
import { ServedTransactions } from './served-transactions.ts';

export interface ServedAppOptions {
  readonly engine: DatabaseEngine;
  readonly connectors: Connectors;
  readonly clock: ClientClock;
  /** How long an app with an open transaction may say nothing. */
  readonly maxSilenceMs: number;
  readonly onProblem: (problem: unknown) => void;
  /** The app wants to end; resolves when that is done. */
  readonly onClose: () => Promise<void>;
  /** Nothing is held for it any more. */
  readonly onGone: () => void;
}

/** One app on one channel: everything that it holds ends with the channel. */
export class ServedApp {
  readonly #options: ServedAppOptions;
  readonly #peer: Peer<HostMethods, AppMethods, HostEvent, AppEvent>;
  readonly #transactions: ServedTransactions;
  readonly #reads: ServedReads;
  readonly #held = new Map<number, HeldStream>();
  readonly #gone = new AbortController();
  #connecting: ConnectingApp | undefined;
  #app: string | undefined;
  #stopListening: readonly (() => void)[] = [];
  #heardAtMs = 0;
  #isLeaving = false;
  #isWatching = false;

  constructor(channel: Channel, options: ServedAppOptions) {
    this.#options = options;
    this.#transactions = new ServedTransactions(options.engine);
    this.#reads = new ServedReads(options.engine);
    this.#peer = new Peer(channel, {
      handlers: this.#handlers(),
      onEvent: () => this.#heard(),
      onClosed: () => this.#end(),
      onProblem: options.onProblem,
    });
  }

  /** It asked to end, and waits for the answer. */
  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  tell(event: HostEvent): void {
    if (this.#app !== undefined) this.#peer.tell(event);
  }

  close(): void {
    this.#peer.close();
  }

  #handlers(): Handlers<HostMethods> {
    return {
      hello: ([greeting]) => this.#hello(greeting),
      close: () => this.#leave(),
      ...this.#reads.handlers,
      ...this.#writing(),
      ...this.#syncing(),
      ...this.#queue(),
    };
  }

  #writing() {
    const { engine } = this.#options;
    const transactions = this.#transactions;
    const open = (id: number) => {
      this.#heard();
      return transactions.statements(id);
    };
    return {
      execute: ([sql, parameters, integers, call]) =>
        this.#once(call, async (note) => {
          const beforeCommit = (result: StatementResult) => note(plainResult(result));
          return plainResult(await engine.execute(sql, parameters, { integers, beforeCommit }));
        }),
      executeBatch: ([sql, sets, call]) =>
        this.#once(call, (note) =>
          engine.executeBatch(sql, sets, (rowsAffected) => note({ rowsAffected })),
        ),
      begin: async ([id, timeoutMs]) => {
        await transactions.begin(id, timeoutMs);
        this.#watchSilence();
      },
      transactionExecute: ([id, sql, parameters, integers]) =>
        plainResult(open(id).execute(sql, parameters, { integers })),
      transactionBatch: ([id, sql, sets]) => {
        const { rowsAffected } = open(id).executeBatch(sql, sets);
        return { rowsAffected };
      },
      savepoint: ([id, name]) => open(id).savepoint(name),
      release: ([id, name]) => open(id).release(name),
      undo: ([id, name]) => open(id).undo(name),
      commit: ([id, call]) => this.#once(call, (note) => transactions.commit(id, () => note(null))),
      rollback: ([id]) => transactions.rollback(id),
    } satisfies Partial<Handlers<HostMethods>>;
  }

  #syncing() {
    const { engine, connectors } = this.#options;
    return {
      connect: ([options, takesRequests]) => {
        this.#connecting ??= this.#connectingApp(takesRequests);
        return connectors.connect(this.#connecting, options);
      },
      disconnect: () => connectors.disconnect(),
      clear: ([options, call]) =>
        this.#once(call, async (note) => {
          connectors.forget();
          await engine.clear(options, () => note(null));
        }),
      pause: () => engine.pause(),
      resume: () => engine.resume(),
      hint: () => engine.hint(),
      syncOnce: ([options, takesRequests], signal) => {
        const connector = options && this.#connectingApp(takesRequests).connector;
        return engine.syncOnce(connector, options ?? {}, signal());
      },
      requestCheckpoint: () => engine.requestCheckpoint(),
      checkpointApplied: ([checkpoint], signal) => engine.checkpointApplied(checkpoint, signal()),
      updateSchema: ([schema]) => engine.updateSchema(schema),
      subscribe: async ([id, subscription]) => {
        const held = await engine.subscribe(subscription);
        if (this.#gone.signal.aborted) await held.release();
        else this.#held.set(id, held);
        return { name: held.name, params: held.params };
      },
      unsubscribe: async ([id]) => {
        const held = this.#held.get(id);
        this.#held.delete(id);
        await held?.release();
      },
      unsubscribeAll: ([name, params]) => engine.unsubscribeAll(name, params),
    } satisfies Partial<Handlers<HostMethods>>;
  }

  #queue() {
    const { uploads } = this.#options.engine;
    return {
      crudBatch: ([request]) => uploads.batch(request),
      crudAfter: ([clientId, integers]) => uploads.transactionAfter(clientId, integers),
      crudComplete: ([lastId, parameters]) => uploads.complete(lastId, ...parameters),
      crudSettle: ([range, outcomes]) => uploads.settle(range, outcomes),
      crudStats: ([withSize]) => uploads.stats(withSize),
      requeue: ([ids, call]) =>
        this.#once(call, (note) => uploads.requeue(ids, () => note(null)).then(() => undefined)),
      discard: ([ids, call]) =>
        this.#once(call, (note) => uploads.discard(ids, () => note(null)).then(() => undefined)),
    } satisfies Partial<Handlers<HostMethods>>;
  }

  #hello({ version, app }: Greeting): Introduction {
    if (version !== PROTOCOL_VERSION) {
      throw new ClientError(
        'PROTOCOL_VERSION',
        `The database runs in another version of the library (${PROTOCOL_VERSION}, not ${version}): load the app anew everywhere`,
      );
    }
    const { engine } = this.#options;
    engine.checkUsable();
    this.#app = app;
    this.#stopListening = [
      engine.changes.subscribe((event) => this.#tellChange(event)),
      engine.status.listen(({ facts }) =>
        this.#peer.tell({ kind: 'status', status: toPlainStatus(facts) }),
      ),
    ];
    const { clientId, schema, status } = engine;
    return { clientId, schema, status: toPlainStatus(status.current.facts) };
  }

  #tellChange(change: ChangeEvent): void {
    if (change.kind === 'closed') return;
    const { schema } = this.#options.engine;
    if (change.kind === 'schema') this.#peer.tell({ kind: 'changed', change, schema });
    else this.#peer.tell({ kind: 'changed', change });
  }

  /** Does what the call asks for, unless an earlier host has, whose answer is given then. */
  async #once<T>(
    call: WritingCall | undefined,
    run: (note: (answer: T | null) => void) => Promise<T>,
  ): Promise<T> {
    const { records } = this.#options.engine;
    if (call?.again === true) {
      const found = records.find(call);
      // What was noted for this call was of its type.
      if (found !== undefined) return found.answer as T;
    }
    return run((answer) => {
      if (this.#gone.signal.aborted) throw new DatabaseClosedError();
      if (call !== undefined) records.note(call, answer);
    });
  }

  #connectingApp(takesRequests: boolean): ConnectingApp {
    const peer = this.#peer;
    return {
      connector: {
        fetchCredentials: () => peer.call('fetchCredentials', []),
        uploadData: (signal) => peer.call('uploadData', [], signal),
        postCheckpointRequest: takesRequests
          ? (clientId, requestId) => peer.call('postCheckpointRequest', [clientId, requestId])
          : undefined,
      },
      isAwake: () => peer.call('isAwake', []),
      disconnected: () => peer.tell({ kind: 'disconnected' }),
    };
  }

  #heard(): void {
    this.#heardAtMs = this.#options.clock.elapsed();
  }

  /** An app that is frozen with a transaction open would stop all others. */
  #watchSilence(): void {
    this.#heard();
    if (this.#isWatching || this.#options.maxSilenceMs === Infinity) return;
    this.#isWatching = true;
    this.#untilSilent().catch(this.#options.onProblem);
  }

  async #untilSilent(): Promise<void> {
    const { maxSilenceMs, clock } = this.#options;
    while (this.#transactions.openCount > 0) {
      const waitMs = this.#heardAtMs + maxSilenceMs - clock.elapsed();
      if (waitMs <= 0) this.#transactions.rollbackAll();
      else if (!(await pause(clock, waitMs, this.#gone.signal))) break;
    }
    this.#isWatching = false;
  }

  async #leave(): Promise<void> {
    this.#isLeaving = true;
    this.#release();
    if (this.#app !== undefined && !this.#options.engine.closing.aborted) {
      this.#options.engine.records.forget(this.#app);
    }
    await this.#options.onClose();
  }

  #end(): void {
    if (this.#gone.signal.aborted) return;
    this.#release();
    this.#gone.abort();
    this.#options.onGone();
  }

  #release(): void {
    for (const stop of this.#stopListening) stop();
    this.#stopListening = [];
    this.#transactions.close();
    this.#reads.close();
    if (this.#connecting !== undefined) this.#options.connectors.leave(this.#connecting);
    const held = [...this.#held.values()];
    this.#held.clear();
    for (const stream of held) stream.release().catch((error) => this.#report(error));
  }

  #report(error: unknown): void {
    if (!(error instanceof DatabaseClosedError)) this.#options.onProblem(error);
  }
}

function plainResult({ columns, rows, rowsAffected, insertId }: StatementResult): PlainResult {
  return { columns, rows, rowsAffected, insertId };
}
