import type { SyncOptions } from '../contract.ts';
import type { CompiledDefinition } from './queries.ts';

const NOT_MEANING = new Set(['start', 'end', 'priority', 'isDerived', 'isElement']);

/**
 * A text that is equal for plans of equal meaning: comments, formatting and places in the file do
 * not show; the dialect, the options and every query do. Priorities and auto_subscribe do not: they
 * decide when a client gets a bucket, not what is in it.
 */
export function canonicalPlanText(
  dialect: string,
  options: SyncOptions,
  definitions: readonly CompiledDefinition[],
): string {
  const meaning = definitions.map(({ info, queries }) => [info.name, info.kind, queries]);
  return JSON.stringify([dialect, options, meaning], (key, value: unknown) => {
    if (NOT_MEANING.has(key)) return undefined;
    if (typeof value === 'bigint') return { integer: String(value) };
    if (value instanceof Uint8Array) return { blob: Buffer.from(value).toString('hex') };
    return value;
  });
}
