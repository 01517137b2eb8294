import type { SqlValue } from '../driver/contract.ts';

export type CrudOperation = 'PUT' | 'PATCH' | 'DELETE';

/** One local write that waits to be uploaded (spec/client.md 1.4, 2.5). */
export interface CrudEntry {
  /** The queue id: grows with every entry of this database. With the client id it names the entry for ever. */
  readonly clientId: number;
  readonly transactionId: number | undefined;
  readonly op: CrudOperation;
  readonly table: string;
  readonly id: string;
  /** PUT: the columns that are not null. PATCH: the columns that changed. DELETE: none. */
  readonly opData: CrudValues | undefined;
  readonly previousValues: CrudValues | undefined;
  readonly metadata: string | undefined;
}

/** Integers are exact in every mode, as an upload must not change them: `bigint` beyond 2^53, or for all with the mode `bigint`. */
export type CrudValues = Readonly<Record<string, SqlValue>>;
