import type { SyncOptions } from '../contract.ts';
import type { CompiledDefinition } from './queries.ts';

/**
 * A text that is equal for plans of equal meaning: comments, formatting and places in the file do
 * not show; the dialect, the options and every query do.
 */
export function canonicalPlanText(
  dialect: string,
  options: SyncOptions,
  definitions: readonly CompiledDefinition[],
): string {
  return JSON.stringify({ dialect, options, definitions }, (key, value: unknown) => {
    if (key === 'start' || key === 'end') return undefined;
    if (typeof value === 'bigint') return { integer: String(value) };
    if (value instanceof Uint8Array) return { blob: Buffer.from(value).toString('hex') };
    return value;
  });
}
