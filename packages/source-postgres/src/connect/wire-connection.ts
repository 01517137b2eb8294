import type { Duplex } from 'node:stream';
import { abortReason, SourceError, type AppError } from '@sluice/base';
import pg from 'pg';
import {
  COPY_DONE,
  decodeServerMessage,
  decodeTextRow,
  encodeCopyData,
  encodeQuery,
  FRAME,
  FRAME_HEADER_BYTES,
  FrameAssembler,
  frameEnd,
  TERMINATE,
} from './frames.ts';
import { APPLICATION_NAME, sessionSql } from './session.ts';
import type { ConnectionSettings } from './settings.ts';
import { toSourceError } from './source-error.ts';

export interface WireOptions {
  /** Speaks the replication protocol next to SQL. */
  readonly replication: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface WireQueryOptions {
  readonly timeoutMs: number;
  /** What the query is for, as the subject of an error message. */
  readonly doing: string;
}

type TextRow = readonly (string | null)[];

/** Bytes received but not yet read beyond which the socket is paused. */
const MAX_QUEUED_BYTES = 512 * 1024;
const TCP_KEEPALIVE_MS = 10_000;
const CLOSE_TIMEOUT_MS = 1000;

/**
 * A connection whose frames are read by the block. `pg` connects, encrypts and authenticates; then
 * its parser is taken off the socket, because an object and an event for each COPY message cost more
 * than decoding the row inside.
 *
 * One user at a time: either a `query`, or `start` followed by `readBlock` until the end.
 * When the signal fires, the connection is closed.
 */
export class WireConnection implements AsyncDisposable {
  readonly #socket: Duplex;
  readonly #settings: ConnectionSettings;
  readonly #assembler = new FrameAssembler();
  readonly #blocks: Buffer[] = [];
  readonly #unlisten: () => void;
  readonly backendPid: number;
  /** Grows whenever something arrives. */
  receivedBytes = 0;
  #queuedBytes = 0;
  #paused = false;
  #gathering = false;
  #closed = false;
  #failure: AppError | Error | undefined;
  #closing: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  /** Sends what has to be said before the goodbye. */
  onFarewell: (() => void) | undefined;

  private constructor(
    client: pg.Client,
    settings: ConnectionSettings,
    signal: AbortSignal | undefined,
  ) {
    this.#settings = settings;
    this.#socket = client.connection.stream;
    this.backendPid = (client as unknown as { processID: number | null }).processID ?? 0;
    this.#socket.removeAllListeners('data');
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on('error', (error) => this.#failWith(error));
    this.#socket.on('close', () => this.#failWith(new Error('Connection terminated')));
    const onAbort = () => void this.close(abortReason(signal));
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#unlisten = () => signal?.removeEventListener('abort', onAbort);
    if (signal?.aborted) onAbort();
  }

  /** @throws SourceError when the connection cannot be made; the signal's reason when it fires. */
  static async open(settings: ConnectionSettings, options: WireOptions): Promise<WireConnection> {
    options.signal?.throwIfAborted();
    const client = new pg.Client({
      ...pgConfig(settings),
      ...(options.replication ? { replication: 'database' } : {}),
    });
    client.on('error', () => {}); // the socket's listeners here report every failure
    const onAbort = () => client.connection.stream.destroy(abortReason(options.signal));
    options.signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await client.connect();
    } catch (error) {
      client.connection.stream.destroy();
      if (options.signal?.aborted) throw abortReason(options.signal);
      throw toSourceError(error, settings, 'Connecting to the source database');
    } finally {
      options.signal?.removeEventListener('abort', onAbort);
    }
    const connection = new WireConnection(client, settings, options.signal);
    try {
      const timeoutMs = settings.connectTimeoutMs;
      await connection.query(sessionSql(0), { timeoutMs, doing: 'Setting up a session' });
    } catch (error) {
      await connection.close();
      throw error;
    }
    return connection;
  }

  get settings(): ConnectionSettings {
    return this.#settings;
  }

  /** Whether a block has arrived that nobody has read yet. */
  get hasBlock(): boolean {
    return this.#blocks.length > 0;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Whether reading has been suspended because nobody takes what has arrived. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Runs statements by the simple protocol; resolves to the rows of all of them, as text. */
  async query(sql: string, options: WireQueryOptions): Promise<readonly TextRow[]> {
    const late = new SourceError(
      'SOURCE_TIMEOUT',
      `${options.doing} took longer than ${options.timeoutMs} ms`,
    );
    const timer = setTimeout(() => this.fail(late), options.timeoutMs);
    try {
      this.start(sql);
      return await this.#collectRows(options.doing);
    } finally {
      clearTimeout(timer);
    }
  }

  async #collectRows(doing: string): Promise<readonly TextRow[]> {
    const rows: TextRow[] = [];
    let failure: Error | undefined;
    for (;;) {
      const block = await this.readBlock();
      for (let at = 0; at < block.length;) {
        const end = frameEnd(block, at);
        const body = at + FRAME_HEADER_BYTES;
        const kind = block[at];
        if (kind === FRAME.dataRow) rows.push(decodeTextRow(block, body));
        if (kind === FRAME.errorResponse) failure ??= decodeServerMessage(block, body, end);
        if (kind === FRAME.readyForQuery) {
          if (failure) throw toSourceError(failure, this.#settings, doing);
          return rows;
        }
        at = end;
      }
    }
  }

  /** Sends a query whose answer the caller reads with `readBlock`. */
  start(sql: string): void {
    this.#send(encodeQuery(sql));
  }

  sendCopyData(body: Buffer): void {
    this.#send(encodeCopyData(body));
  }

  sendCopyDone(): void {
    this.#send(COPY_DONE);
  }

  /**
   * The next whole frames, in a buffer that is not reused.
   *
   * @throws SourceError when the connection is lost, or when nothing comes within `timeoutMs`.
   */
  async readBlock(timeoutMs?: number): Promise<Buffer> {
    for (;;) {
      const block = this.#blocks.shift();
      if (block) {
        this.#taken(block);
        return block;
      }
      if (this.#failure) throw this.#failure;
      await this.#arrival(timeoutMs);
    }
  }

  async #arrival(timeoutMs: number | undefined): Promise<void> {
    const late = () =>
      this.fail(new SourceError('SOURCE_TIMEOUT', `The source sent nothing for ${timeoutMs} ms`));
    const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs);
    try {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    } finally {
      clearTimeout(timer);
      this.#wake = undefined;
    }
  }

  #receive(chunk: Buffer): void {
    this.receivedBytes += chunk.length;
    this.#settings.onReceived?.(chunk.length);
    if (this.#closing) return;
    let block: Buffer | undefined;
    try {
      block = this.#assembler.push(chunk);
    } catch (error) {
      this.fail(error as Error);
      return;
    }
    if (!block) return;
    this.#blocks.push(block);
    this.#queuedBytes += block.length;
    if (this.#queuedBytes > MAX_QUEUED_BYTES && !this.#paused) {
      this.#paused = true;
      this.#socket.pause();
    }
    this.#wake?.();
  }

  #taken(block: Buffer): void {
    this.#queuedBytes -= block.length;
    if (this.#paused && this.#queuedBytes <= MAX_QUEUED_BYTES / 2) {
      this.#paused = false;
      if (!this.#gathering) this.#socket.resume();
    }
  }

  /**
   * Leaves what comes next to the kernel for a millisecond. A WAL sender sends each change by itself;
   * reading every one of them by itself costs more than decoding it.
   */
  gather(): void {
    if (this.#gathering || this.#paused || this.hasBlock || this.#closed) return;
    this.#gathering = true;
    this.#socket.pause();
    setTimeout(() => {
      this.#gathering = false;
      if (!this.#paused) this.#socket.resume();
    }, 1);
  }

  #send(frame: Buffer): void {
    if (!this.#closed) this.#socket.write(frame);
  }

  #failWith(error: Error): void {
    this.fail(toSourceError(error, this.#settings, 'The connection to the source database'));
  }

  /** Ends the connection without a word; whoever reads gets `error`. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#blocks.length = 0;
    this.#destroy();
    this.#wake?.();
  }

  /**
   * Says goodbye, so that the server frees its process at once; what was sent before still leaves. A
   * server that does not take it is left after a second. Whoever reads gets `reason`.
   */
  close(
    reason: Error = new SourceError('SOURCE_CONNECTION_LOST', 'The connection was closed'),
  ): Promise<void> {
    this.#closing ??= this.#farewell(reason);
    return this.#closing;
  }

  async #farewell(reason: Error): Promise<void> {
    if (this.#closed) return;
    this.onFarewell?.();
    this.#failure ??= reason;
    this.#blocks.length = 0;
    this.#wake?.();
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
      this.#socket.once('close', resolve);
      this.#socket.end(TERMINATE, () => {
        // Closing while something waits to be read would reset the connection, and the server might
        // never see the last words. So the rest is read, and dropped, until the server closes.
        if (this.onFarewell) this.#socket.resume();
        else resolve();
      });
    });
    clearTimeout(timer);
    this.#destroy();
  }

  #destroy(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unlisten();
    this.#socket.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The part of the settings that `pg` understands. */
export function pgConfig(settings: ConnectionSettings): pg.ClientConfig {
  return {
    host: settings.host,
    port: settings.port,
    user: settings.user,
    password: settings.password,
    database: settings.database,
    ssl: settings.tls,
    connectionTimeoutMillis: settings.connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: TCP_KEEPALIVE_MS,
    application_name: APPLICATION_NAME,
  };
}
