import type { GenerationConfigs, StoredConfig } from '@sluice/storage';
import { bucketPrefix } from './bucket-prefix.ts';

/**
 * The sync configs of a generation, and how they follow from one another (design D7). Pure.
 *
 *             deploy                filled
 *   serving ---------> serving, next ------> serving, previous ---keep-over---> serving
 *      ^                 |     ^                    |
 *      |    call-off,    |     '----- deploy -------|
 *      '--deploy serving-'     '---- roll-back -----'   (previous becomes next, and is filled already)
 *
 * What holds, whatever the order of events:
 * 1. All configs that have a definition have it under the same prefix.
 * 2. A prefix that has gone never comes back: new ones carry a fill number that was never used.
 * 3. What serves changes only with `filled`; `deploy` may change its text, never its meaning. (Of a
 *    generation that is not served yet, `deploy` replaces what will serve.)
 * 4. A definition that `serving` or `previous` has is not filled again.
 */
export type ConfigEvent =
  /** `fill`: a number of its own, for what has to be filled. */
  | {
      readonly kind: 'deploy';
      readonly wanted: WantedConfig;
      readonly fill: number;
      readonly nowMs: number;
    }
  | { readonly kind: 'roll-back' }
  /** What is being filled is not wanted any more. */
  | { readonly kind: 'call-off' }
  /** All buckets of `next` are there. */
  | { readonly kind: 'filled' }
  /** Nobody goes back to `previous` any more. */
  | { readonly kind: 'keep-over' };

/** A sync config that is asked for, compiled. */
interface WantedConfig {
  readonly text: string;
  readonly hash: string;
  /** What has to be filled. */
  readonly parts: readonly { readonly name: string; readonly hash: string }[];
}

/** The configs after an event; the same object where it changes nothing. */
export function configsAfter(
  configs: GenerationConfigs,
  event: ConfigEvent,
  isServed: boolean,
): GenerationConfigs {
  const { serving, next, previous } = configs;
  switch (event.kind) {
    case 'deploy':
      return isServed ? afterDeploy(configs, event) : { serving: unservedAfter(serving, event) };
    case 'roll-back':
      return previous === undefined ? configs : { serving, next: previous };
    case 'call-off':
      return next === undefined ? configs : { serving, ...present({ previous }) };
    case 'filled':
      return next === undefined ? configs : { serving: next, previous: serving };
    case 'keep-over':
      return previous === undefined ? configs : { serving, ...present({ next }) };
  }
}

type Deploy = Extract<ConfigEvent, { kind: 'deploy' }>;

function afterDeploy(configs: GenerationConfigs, event: Deploy): GenerationConfigs {
  const { serving, next, previous } = configs;
  const { text, hash } = event.wanted;
  if (hash === serving.hash) {
    if (next === undefined && text === serving.text) return configs;
    return { serving: { ...serving, text }, ...present({ previous }) };
  }
  if (hash === next?.hash) return { ...configs, next: { ...next, text } };
  const before = [serving, ...Object.values(present({ previous, next }))];
  return { serving, next: storedConfig(event, before), ...present({ previous }) };
}

/** What will serve in a generation from which nobody is served yet. */
function unservedAfter(serving: StoredConfig, event: Deploy): StoredConfig {
  const { text, hash } = event.wanted;
  return hash === serving.hash ? { ...serving, text } : storedConfig(event, [serving]);
}

/** The config with a prefix for each of its definitions, that of `before` where it has one. */
export function storedConfig(
  { wanted, fill, nowMs }: Omit<Deploy, 'kind'>,
  before: readonly StoredConfig[],
): StoredConfig {
  const prefixes: Record<string, string> = {};
  for (const { hash } of wanted.parts) {
    const holder = before.find((config) => config.prefixes[hash] !== undefined);
    prefixes[hash] = holder?.prefixes[hash] ?? bucketPrefix(hash, fill);
  }
  return { text: wanted.text, hash: wanted.hash, prefixes, deployedAtMs: nowMs };
}

/** The prefixes of definitions that no config has any more. */
export function droppedPrefixes(before: GenerationConfigs, after: GenerationConfigs): string[] {
  const kept = prefixesOf(after);
  return [...prefixesOf(before)].filter((prefix) => !kept.has(prefix));
}

function prefixesOf({ serving, next, previous }: GenerationConfigs): ReadonlySet<string> {
  const configs = [serving, next, previous];
  return new Set(configs.flatMap((config) => Object.values(config?.prefixes ?? {})));
}

function present<T extends Readonly<Record<string, StoredConfig | undefined>>>(configs: T) {
  const entries = Object.entries(configs).filter(([, config]) => config !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: StoredConfig };
}
