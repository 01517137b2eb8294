import { orAborted, pause, type ClientClock } from '../clock.ts';
import type { StatementReads } from '../changes/statement-analyzer.ts';
import { normalizeParameters } from '../database/parameters.ts';
import type { StatementResult } from '../database/writer-session.ts';
import { ClientError, DatabaseClosedError } from '../errors.ts';
import { CallScopes } from '../facade/call-scopes.ts';
import { NO_CALL_CONTEXT, type CallContext } from '../facade/call-context.ts';
import { ChangeHub } from '../facade/change-hub.ts';
import type { ClearOptions } from '../facade/clear-database.ts';
import type { SyncOptions } from '../facade/connector.ts';
import type {
  AppConnector,
  DatabaseAccess,
  HeldStream,
  SelectOptions,
} from '../facade/database-access.ts';
import type { ReadStatements, ResultOptions, RowsAffected } from '../facade/statements.ts';
import type { CompiledSchema } from '../schema/compiled-schema.ts';
import { StatusTracker } from '../sync/status/status-tracker.ts';
import type { StreamParams } from '../sync/streams/canonical-params.ts';
import type { StreamSubscription } from '../sync/streams/sync-streams.ts';
import type { RawRows } from '../watch/query-runner.ts';
import type { Channel } from './channel.ts';
import { HostLink, type HandOver, type HostPeer } from './host-link.ts';
import { ChannelClosed, type Handlers } from './peer.ts';
import { fromPlainError } from './plain-error.ts';
import { fromPlainStatus } from './plain-status.ts';
import { ALIVE_EVERY_MS, type AppMethods, type HostEvent, type Introduction } from './protocol.ts';
import type { ReadAccess } from './read-access.ts';
import { RemoteReads } from './remote-reads.ts';
import { RemoteStatements } from './remote-statements.ts';
import { RemoteUploads } from './remote-uploads.ts';

export interface RemoteEngineOptions {
  /** A new UUID. */
  readonly newId: () => string;
  readonly clock: ClientClock;
  readonly callContext?: CallContext | undefined;
  readonly handOver?: HandOver | undefined;
  /** Who reads instead of the host. */
  readonly reads?: ReadAccess | undefined;
  readonly onProblem: (problem: unknown) => void;
}

interface Wish {
  readonly connector: AppConnector;
  readonly options: SyncOptions;
  /** Its call has no answer yet, and will be asked again by itself. */
  isPending: boolean;
}

interface Held {
  readonly id: number;
  readonly subscription: StreamSubscription;
}

/** A database at the other end of a channel. */
export class RemoteEngine implements DatabaseAccess {
  readonly uploads: RemoteUploads;
  readonly changes: ChangeHub;
  readonly status: StatusTracker;
  readonly #options: RemoteEngineOptions;
  readonly #link: HostLink;
  readonly #reads: ReadAccess;
  readonly #writing: CallScopes;
  readonly #reading: CallScopes;
  readonly #closing = new AbortController();
  readonly #held = new Set<Held>();
  #introduction: Pick<Introduction, 'clientId' | 'schema'> | undefined;
  #wish: Wish | undefined;
  /** Asked for one round only. */
  #once: AppConnector | undefined;
  #transactions = 0;
  #openTransactions = 0;
  #isTelling = false;
  #subscriptions = 0;
  #closed = Promise.resolve();

  constructor(options: RemoteEngineOptions) {
    const { clock, handOver, newId, onProblem, callContext = NO_CALL_CONTEXT } = options;
    this.#options = options;
    this.changes = new ChangeHub(onProblem);
    this.status = new StatusTracker({}, onProblem);
    this.#writing = new CallScopes(callContext);
    this.#reading = new CallScopes(callContext);
    this.#link = new HostLink({
      app: newId(),
      handlers: this.#handlers(),
      onEvent: (event) => this.#hear(event),
      onEnded: () => void this.close(),
      onProblem,
      handOver,
      clock,
    });
    const ask = this.#link.call.bind(this.#link);
    this.#reads =
      options.reads ?? new RemoteReads((name, values, signal) => ask(name, values, { signal }));
    this.uploads = new RemoteUploads(this.#link, () => this.#writing.checkOutside());
  }

  get clientId(): string {
    return this.#introduced().clientId;
  }

  get schema(): CompiledSchema {
    return this.#introduced().schema;
  }

  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** To the first host, or the next one. */
  async link(channel: Channel): Promise<void> {
    await this.#link.link(channel, (introduction, peer) => this.#prepare(introduction, peer));
  }

  async execute(
    sql: string,
    parameters: readonly unknown[],
    { integers }: ResultOptions = {},
  ): Promise<StatementResult> {
    this.checkUsable();
    const values = normalizeParameters(parameters);
    const result = await this.#link.write('execute', (call) => [sql, values, integers, call]);
    return { ...result, committed: undefined };
  }

  async executeBatch(
    sql: string,
    parameterSets: readonly (readonly unknown[])[],
  ): Promise<RowsAffected> {
    this.checkUsable();
    const sets = parameterSets.map(normalizeParameters);
    return this.#link.write('executeBatch', (call) => [sql, sets, call]);
  }

  async writeTransaction<T>(
    body: (statements: RemoteStatements) => Promise<T>,
    timeoutMs?: number,
  ): Promise<T> {
    this.checkUsable();
    const scope = this.#writing.open();
    const id = (this.#transactions += 1);
    await this.#link.call('begin', [id, timeoutMs]);
    const statements = new RemoteStatements(this.#link, id);
    this.#beginTelling();
    try {
      return await this.#writing.run(scope, () => body(statements));
    } finally {
      scope.isOver = true;
      this.#openTransactions -= 1;
      await statements.abandon();
    }
  }

  async readTransaction<T>(
    body: (statements: ReadStatements) => Promise<T>,
    timeoutMs?: number,
  ): Promise<T> {
    this.#checkOpen();
    this.#reading.checkOutside();
    const scope = this.#reading.open();
    try {
      return await this.#reads.readTransaction(
        (statements) => this.#reading.run(scope, () => body(statements)),
        timeoutMs,
      );
    } finally {
      scope.isOver = true;
    }
  }

  async select(
    sql: string,
    parameters: readonly unknown[],
    options?: SelectOptions,
  ): Promise<RawRows> {
    this.#checkOpen();
    return this.#reads.select(sql, parameters, options);
  }

  async analyse(sql: string): Promise<StatementReads> {
    this.#checkOpen();
    return this.#reads.analyse(sql);
  }

  async connect(connector: AppConnector, options: SyncOptions): Promise<void> {
    this.checkUsable();
    const former = this.#wish;
    const wish: Wish = { connector, options, isPending: true };
    this.#wish = wish;
    try {
      const takesRequests = connector.postCheckpointRequest !== undefined;
      await this.#link.call('connect', [options, takesRequests]);
    } catch (error) {
      // Refused: what was before goes on.
      if (this.#wish === wish) this.#wish = former;
      throw error;
    } finally {
      wish.isPending = false;
    }
  }

  async disconnect(): Promise<void> {
    this.checkUsable();
    this.#wish = undefined;
    await this.#link.call('disconnect', []);
  }

  async clear(options: ClearOptions): Promise<void> {
    this.checkUsable();
    this.#wish = undefined;
    await this.#link.write('clear', (call) => [options, call]);
  }

  async pause(): Promise<void> {
    this.checkUsable();
    await this.#link.call('pause', []);
  }

  async resume(): Promise<void> {
    this.checkUsable();
    await this.#link.call('resume', []);
  }

  hint(): void {
    if (this.closing.aborted) return;
    this.#link.call('hint', []).catch((error: unknown) => {
      if (!(error instanceof DatabaseClosedError)) this.#options.onProblem(error);
    });
  }

  async syncOnce(
    connector: AppConnector | undefined,
    options: SyncOptions,
    signal: AbortSignal,
  ): Promise<void> {
    this.checkUsable();
    const takesRequests = connector?.postCheckpointRequest !== undefined;
    this.#once = connector;
    try {
      const asked = this.#link.call('syncOnce', [connector && options, takesRequests], { signal });
      await orAborted(asked, signal);
    } finally {
      if (this.#once === connector) this.#once = undefined;
    }
  }

  async requestCheckpoint(): Promise<string> {
    this.checkUsable();
    return this.#link.call('requestCheckpoint', []);
  }

  async checkpointApplied(checkpoint: string, signal: AbortSignal): Promise<void> {
    this.checkUsable();
    await orAborted(this.#link.call('checkpointApplied', [checkpoint], { signal }), signal);
  }

  async updateSchema(schema: CompiledSchema): Promise<void> {
    this.checkUsable();
    await this.#link.call('updateSchema', [schema]);
  }

  async subscribe(subscription: StreamSubscription): Promise<HeldStream> {
    this.checkUsable();
    const held: Held = { id: (this.#subscriptions += 1), subscription };
    const { name, params } = await this.#link.call('subscribe', [held.id, subscription]);
    this.#held.add(held);
    return { name, params, release: () => this.#release(held) };
  }

  async unsubscribeAll(name: string, params: StreamParams | null): Promise<void> {
    this.checkUsable();
    await this.#link.call('unsubscribeAll', [name, params]);
  }

  checkUsable(): void {
    this.#checkOpen();
    this.#writing.checkOutside();
  }

  close(): Promise<void> {
    if (this.closing.aborted) return this.#closed;
    this.#closing.abort(new DatabaseClosedError());
    this.#closed = this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    // First, so that a live query ends rather than fails by a run that is under way.
    this.changes.close();
    await this.#reads.close();
    await this.#link.close();
  }

  async #release(held: Held): Promise<void> {
    this.checkUsable();
    if (!this.#held.delete(held)) return;
    await this.#link.call('unsubscribe', [held.id]);
  }

  #checkOpen(): void {
    if (this.closing.aborted) throw new DatabaseClosedError();
  }

  #introduced(): Pick<Introduction, 'clientId' | 'schema'> {
    if (this.#introduction === undefined) throw new Error('The host has not introduced itself');
    return this.#introduction;
  }

  #handlers(): Handlers<AppMethods> {
    const connector = () => {
      if (this.#wish !== undefined) return this.#wish.connector;
      if (this.#once !== undefined) return this.#once;
      throw new ClientError('STOPPED', 'The app has disconnected');
    };
    return {
      isAwake: () => undefined,
      fetchCredentials: () => connector().fetchCredentials(),
      uploadData: (_, signal) => connector().uploadData(signal()),
      postCheckpointRequest: ([clientId, requestId]) => {
        const { postCheckpointRequest } = connector();
        if (postCheckpointRequest !== undefined) return postCheckpointRequest(clientId, requestId);
        throw new ClientError('STOPPED', 'The app takes no requests for checkpoints');
      },
    };
  }

  #hear(event: HostEvent): void {
    switch (event.kind) {
      case 'changed':
        if (event.schema !== undefined) {
          this.#introduction = { ...this.#introduced(), schema: event.schema };
        }
        this.changes.tell(event.change);
        return;
      case 'status':
        this.status.update(fromPlainStatus(event.status));
        return;
      case 'disconnected':
        this.#wish = undefined;
        return;
      case 'problem':
        this.#options.onProblem(fromPlainError(event.error));
    }
  }

  /** Before anything else is asked of a host: what this app holds is made known to it. */
  #prepare(introduction: Introduction, peer: HostPeer): void {
    const isFirst = this.#introduction === undefined;
    const wasPaused = this.status.current.paused;
    this.#introduction = introduction;
    this.status.update(fromPlainStatus(introduction.status));
    if (isFirst) return;
    // Lost again: the next one is told.
    const failed = (error: unknown) => {
      if (!(error instanceof ChannelClosed)) this.#options.onProblem(error);
    };
    if (wasPaused) peer.call('pause', []).catch(failed);
    for (const { id, subscription } of this.#held) {
      peer.call('subscribe', [id, subscription]).catch(failed);
    }
    if (this.#wish !== undefined && !this.#wish.isPending) {
      const { options, connector } = this.#wish;
      const takesRequests = connector.postCheckpointRequest !== undefined;
      peer.call('connect', [options, takesRequests]).catch(failed);
    }
    this.#tellEverything(introduction.schema);
  }

  /** Changes may have been missed. */
  #tellEverything({ tables }: CompiledSchema): void {
    const everything = { columns: 'all', rows: 'many' } as const;
    const changes = new Map(tables.map(({ viewName }) => [viewName.toLowerCase(), everything]));
    this.changes.tell({ kind: 'schema' });
    this.changes.tell({ kind: 'committed', changes });
    this.changes.tell({ kind: 'uploaded' });
  }

  /** An app that thinks is not one that is gone. */
  #beginTelling(): void {
    this.#openTransactions += 1;
    if (this.#isTelling) return;
    this.#isTelling = true;
    this.#tellAlive().catch(this.#options.onProblem);
  }

  async #tellAlive(): Promise<void> {
    while (this.#openTransactions > 0) {
      if (!(await pause(this.#options.clock, ALIVE_EVERY_MS, this.closing))) break;
      this.#link.tell({ kind: 'alive' });
    }
    this.#isTelling = false;
  }
}
