import type { TableSchema } from '@sluice/model';
import { openSource, type SourceTarget } from './open-source.ts';

export interface SourceSchema {
  readonly defaultSchema: string;
  /** Undefined: not known, for there is no database. */
  readonly tables: readonly TableSchema[] | undefined;
}

/** What the compiler wants to know of a database. @throws SourceError when it cannot be reached. */
export async function readSourceSchema(target: SourceTarget | undefined): Promise<SourceSchema> {
  if (target === undefined) return { defaultSchema: 'public', tables: undefined };
  await using source = openSource(target);
  return { defaultSchema: source.defaultSchema, tables: await source.readSchema() };
}
