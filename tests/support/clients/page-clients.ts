import type { DatabaseDriver } from './database-driver.ts';
import type { TestClientOptions } from './test-client.ts';

/** Where the web client keeps its database: IndexedDB and a shared worker, or OPFS and a worker. */
export type WebStorage = 'IDBBatchAtomicVFS' | 'OPFSCoopSyncVFS';

export type PageClientOptions = Omit<TestClientOptions, 'token'> & {
  readonly storage: WebStorage;
};

/** Globals of the test page. */
export interface PageGlobals {
  /** Given by the test: a token for the client of this name. */
  readonly tokenFor: (clientName: string) => Promise<string>;
  /** Given by the page. */
  clients: PageClients;
}

/** What the test page offers to the test that drives it. */
interface PageClients {
  open(options: PageClientOptions): Promise<void>;
  call(name: string, method: keyof DatabaseDriver, args: readonly unknown[]): Promise<unknown>;
}
