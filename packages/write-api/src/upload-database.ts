/** The part of a connection pool that uploads need; `Pool` of the `pg` package fits. */
export interface UploadDatabase {
  connect(): Promise<UploadConnection>;
}

export interface UploadConnection {
  query(text: string, values?: unknown[]): Promise<UploadQueryResult>;
  /** With true the connection is closed instead of reused. */
  release(destroy?: boolean): void;
}

export interface UploadQueryResult {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly rowCount: number | null;
}
