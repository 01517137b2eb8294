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
  const definitions = compiler.planOf(wanted)?.definitions ?? [];
  return {
    generationId: generation.id,
    sourceHandle: generation.sourceHandle,
    kept: definitions.filter(hasBuckets).map(({ name }) => name),
    filled: definitions.filter((one) => !hasBuckets(one)).map(({ name }) => name),
    dropped: isActive ? namesNotIn(before.serving, definitions, compiler) : [],
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
  const { definitions } = plan;
  return {
    generationId: created.id,
    sourceHandle: created.sourceHandle,
    kept: [],
    filled: definitions.map(({ name }) => name),
    dropped: active === undefined ? [] : namesNotIn(active.configs.serving, definitions, compiler),
    serves: false,
  };
}

function namesNotIn(
  config: StoredConfig,
  definitions: readonly { readonly name: string }[],
  compiler: ConfigCompiler,
): string[] {
  const names = new Set(definitions.map(({ name }) => name));
  const before = compiler.planOf(config)?.definitions ?? [];
  return before.map(({ name }) => name).filter((name) => !names.has(name));
}
