import { WebSocket } from 'ws';

interface Reply {
  readonly id?: number | null;
  readonly type: string;
  readonly result?: unknown;
  readonly error?: string;
  readonly message?: string;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

const COMMAND_TIMEOUT_MS = 60_000;

/** Commands of WebDriver BiDi (https://w3c.github.io/webdriver-bidi/), the few that tests need; events are ignored. */
export class BidiConnection {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, Waiting>();
  #commands = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    // In one piece, as text, unless `binaryType` says otherwise.
    socket.on('message', (data: Buffer) => this.#receive(JSON.parse(data.toString()) as Reply));
    socket.on('close', () => this.#fail(new Error('The browser closed the connection')));
    socket.on('error', (error) => this.#fail(error));
  }

  static async open(url: string): Promise<BidiConnection> {
    const socket = new WebSocket(url);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return new BidiConnection(socket);
  }

  /** @throws Error with what the browser says, or after a minute */
  send(method: string, params: Readonly<Record<string, unknown>>): Promise<unknown> {
    const id = (this.#commands += 1);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.#take(id)?.reject(new Error(`${method} was not answered`)),
        COMMAND_TIMEOUT_MS,
      );
      this.#waiting.set(id, {
        resolve: (result) => (clearTimeout(timer), resolve(result)),
        reject: (error) => (clearTimeout(timer), reject(error)),
      });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  close(): void {
    this.#socket.close();
  }

  #receive({ id, type, result, error, message }: Reply): void {
    if (typeof id !== 'number') return;
    if (type === 'success') this.#take(id)?.resolve(result);
    else this.#take(id)?.reject(new Error(`${error}: ${message}`));
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #fail(error: Error): void {
    for (const id of this.#waiting.keys()) this.#take(id)?.reject(error);
  }
}
