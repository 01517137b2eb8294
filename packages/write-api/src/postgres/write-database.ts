/**
 * The part of a connection pool that the write API needs: a `Pool` of the `pg` package, or of a driver
 * made like it. Statements run in groups over one round trip (`StatementRun`), so a pool in `pg`'s own
 * pipeline mode does not fit.
 */
export interface WriteDatabase {
  connect(): Promise<WriteConnection>;
}

export interface WriteConnection {
  query<T extends Submittable>(submittable: T): T;
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
