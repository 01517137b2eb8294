import type { Generation, StoredConfig } from '@sluice/storage';
import type { SyncPlan } from '@sluice/sync-config';
import type { ConfigCompiler } from './config-compiler.ts';
import type { DeployOutcome } from './contract.ts';
import type { ConfigChange } from './config-switcher.ts';

/** What changing the configs of a generation to `wanted` does. */
export function outcomeWithin(
  generation: Generation,
  { before, after }: ConfigChange,
  compiler: ConfigCompiler,
): DeployOutcome {
  const isActive = generation.state === 'active';
  const wanted = after.next ?? after.serving;
  const filled = isActive ? [before.serving, before.previous] : [];
  const hasBuckets = ({ hash }: { readonly hash: string }) =>
    filled.some((config) => config?.prefixes[hash] === wanted.prefixes[hash]);
  const parts = compiler.planOf(wanted)?.parts ?? [];
  return {
    generationId: generation.id,
    sourceHandle: generation.sourceHandle,
    kept: parts.filter(hasBuckets).map(({ name }) => name),
    filled: parts.filter((one) => !hasBuckets(one)).map(({ name }) => name),
    dropped: isActive ? namesNotIn(before.serving, parts, compiler) : [],
    serves: isActive && after.next === undefined,
  };
}

/** What filling a new generation does. */
export function outcomeOfGeneration(
  created: Generation,
  plan: SyncPlan,
  active: Generation | undefined,
  compiler: ConfigCompiler,
): DeployOutcome {
  const { parts } = plan;
  return {
    generationId: created.id,
    sourceHandle: created.sourceHandle,
    kept: [],
    filled: parts.map(({ name }) => name),
    dropped: active === undefined ? [] : namesNotIn(active.configs.serving, parts, compiler),
    serves: false,
  };
}

function namesNotIn(
  config: StoredConfig,
  parts: readonly { readonly name: string }[],
  compiler: ConfigCompiler,
): string[] {
  const names = new Set(parts.map(({ name }) => name));
  const before = compiler.planOf(config)?.parts ?? [];
  return before.map(({ name }) => name).filter((name) => !names.has(name));
}
