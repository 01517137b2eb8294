/** A file as SQLite wants it: synchronous, any part at any time. What is read beyond its end is not there. */
export interface StoredFile {
  /** Returns how many bytes there were. */
  read(into: Uint8Array, at: number): number;
  /** @throws QuotaExceededError and whatever else the platform throws */
  write(from: Uint8Array, at: number): void;
  truncate(bytes: number): void;
  size(): number;
  /** What was written survives the loss of power. */
  flush(): void;
}

/** The files that one VFS knows, by name. */
export interface FileSpace {
  /** Undefined if it is not there, and shall not be made. */
  open(name: string, create: boolean): StoredFile | undefined;
  exists(name: string): boolean;
  delete(name: string): void;
}
