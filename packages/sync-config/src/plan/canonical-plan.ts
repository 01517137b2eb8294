import { createHash } from 'node:crypto';
import type { DefinitionInfo, SyncOptions } from '../contract.ts';
import type { CompiledEvent, EventQuery } from '../events/event-query.ts';
import type { CompiledDefinition } from './queries.ts';

/** Places in the file, and what the binder alone needs to know. */
const NOT_MEANING = new Set(['start', 'end', 'isElement']);

/**
 * The hash of a definition: equal where it puts the same rows into the same buckets and finds them
 * in the same way. Comments, formatting and places in the file do not show; the dialect, the options
 * and every query do. Priority and auto_subscribe do not: they decide when a client gets a bucket,
 * not what is in it.
 */
export function definitionHash(
  dialect: string,
  options: SyncOptions,
  { info, queries }: CompiledDefinition,
): string {
  const text = JSON.stringify(
    [dialect, options, info.name, info.kind, queries],
    (key, value: unknown) => (key === 'priority' ? undefined : plain(key, value)),
  );
  return sha256(text);
}

/** The hash of the write checkpoints that rows make; the event they are listed under does not matter. */
export function writeCheckpointHash(
  dialect: string,
  options: SyncOptions,
  payloads: readonly EventQuery[],
): string {
  const queries = payloads.map((payload) => ({ ...payload, event: undefined }));
  return sha256(JSON.stringify([dialect, options, 'write checkpoints', queries], plain));
}

/** The hash of a whole config: what its definitions hold, when clients get it, and the events. */
export function planHash(
  options: SyncOptions,
  definitions: readonly { readonly info: DefinitionInfo; readonly priorities: readonly number[] }[],
  events: readonly CompiledEvent[],
): string {
  const meaning = definitions
    .map(({ info, priorities }) => [
      info.name,
      info.hash,
      info.isDefault,
      info.priority,
      priorities,
    ])
    .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  return sha256(JSON.stringify([options, meaning, events], plain));
}

/** A value that JSON can hold, without its place in the file. */
function plain(key: string, value: unknown): unknown {
  if (NOT_MEANING.has(key)) return undefined;
  if (typeof value === 'number' && !Number.isFinite(value)) return { real: String(value) };
  if (typeof value === 'bigint') return { integer: String(value) };
  if (value instanceof Uint8Array) return { blob: Buffer.from(value).toString('hex') };
  return value;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
