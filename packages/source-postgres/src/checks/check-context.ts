import type { TablePattern } from '@sluice/model';
import type { SourceCheck } from '@sluice/source';
import type { QueryPool } from '../connect/query-pool.ts';

export interface CheckOptions {
  readonly publication: string;
  readonly slotNamePrefix: string;
  readonly patterns: readonly TablePattern[];
}

/** What all checks know. */
export interface CheckContext extends CheckOptions {
  readonly pool: QueryPool;
  /** For example 150007. */
  readonly version: number;
  readonly role: CheckedRole;
}

export interface CheckedRole {
  readonly name: string;
  readonly isSuperuser: boolean;
  readonly mayReplicate: boolean;
  readonly bypassesRls: boolean;
  /** May create objects such as publications in this database. */
  readonly mayCreate: boolean;
}

export const NOTHING_TO_DO: readonly string[] = [];

export function ok(name: string, message: string): SourceCheck {
  return { name, status: 'ok', message, remedy: NOTHING_TO_DO };
}

const NAMED_TABLES = 5;

/** `a, b and 3 more`, so that a message stays readable with a thousand tables. */
export function enumerate(names: readonly string[]): string {
  const named = names.slice(0, NAMED_TABLES).join(', ');
  return names.length > NAMED_TABLES ? `${named} and ${names.length - NAMED_TABLES} more` : named;
}
