/**
 * The part of a connection pool that the write API needs: a `Pool` of the `pg` package, or of a driver
 * made like it. Statements run in groups over one round trip (`StatementRun`), so a pool in `pg`'s own
 * pipeline mode does not fit.
 */
export interface WriteDatabase {
  /** By callback, as only that is called before anything else is read from the connection. */
  connect(
    callback: (error: Error | undefined, connection: WriteConnection | undefined) => void,
  ): void;
}

export interface WriteConnection {
  query<T extends Submittable>(submittable: T): T;
  on(event: 'error', listener: (error: Error) => void): unknown;
  removeListener(event: 'error', listener: (error: Error) => void): unknown;
  /** With true the connection is closed instead of reused. */
  release(destroy?: boolean): void;
}

/** How `pg` lets others speak the protocol on its connections, as its cursors do. */
interface Submittable {
  // A method, so that pg's own narrower connection type fits.
  submit(connection: WireProtocol): void;
}

/** The messages of the extended query protocol; they are answered in the order they were sent. */
export interface WireProtocol {
  readonly stream: { cork?: () => void; uncork?: () => void };
  parse(message: { readonly name: string; readonly text: string }, more: boolean): void;
  bind(
    message: { readonly statement: string; readonly values: (string | null)[] },
    more: boolean,
  ): void;
  describe(message: { readonly type: 'P'; readonly name: string }, more: boolean): void;
  execute(message: Record<string, never>, more: boolean): void;
  close(message: { readonly type: 'S'; readonly name: string }, more: boolean): void;
  sync(): void;
}

/**
 * Takes a connection from the pool. Its loss is told to whoever waits for an answer on it, or asks next;
 * as an event that nobody listens to it would end the process. It may come in the same packet that says
 * that the connection is ready.
 */
export function takeConnection(database: WriteDatabase): Promise<WriteConnection> {
  return new Promise((resolve, reject) => {
    database.connect((error, connection) => {
      if (connection === undefined) {
        reject(error ?? new Error('The pool gave no connection'));
        return;
      }
      connection.on('error', ignore);
      resolve(connection);
    });
  });
}

/** Gives a connection back; one whose state is not known is closed, which also rolls back. */
export function giveBack(connection: WriteConnection, isClean: boolean): void {
  connection.removeListener('error', ignore);
  connection.release(!isClean);
}

/** Takes a connection for some work; after a failure it is not used again. */
export async function withConnection<T>(
  database: WriteDatabase,
  work: (connection: WriteConnection) => Promise<T>,
): Promise<T> {
  const connection = await takeConnection(database);
  let isClean = false;
  try {
    const result = await work(connection);
    isClean = true;
    return result;
  } finally {
    giveBack(connection, isClean);
  }
}

function ignore(): void {}
