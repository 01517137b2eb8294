import { describe } from 'vitest';
import type { SqliteConnection } from '../driver/contract.ts';
import { describeStatements } from './statements.ts';
import { describeValues } from './values.ts';

/** A way to open a new database in memory. */
export interface ConnectionTarget {
  readonly name: string;
  readonly open: () => Promise<SqliteConnection>;
}

/** Registers the tests that every `SqliteConnection` has to pass, at the top of a vitest file. */
export function registerConnectionConformance(target: ConnectionTarget): void {
  describe(`SQLite connection: ${target.name}`, () => {
    describeValues(target);
    describeStatements(target);
  });
}
