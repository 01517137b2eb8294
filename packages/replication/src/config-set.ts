import type { GenerationConfigs, StoredConfig } from '@sluice/storage';
import type { SyncPlan } from '@sluice/sync-config';
import type { ConfigRole, PlannedConfig } from './fills.ts';

/** Compiles a stored config; undefined when it no longer compiles to what its prefixes are for. */
export type PlanOf = (config: StoredConfig) => SyncPlan | undefined;

const ROLES: readonly ConfigRole[] = ['serving', 'next', 'previous'];

/** The configs of a generation that can be evaluated, the serving one first. */
export function plannedConfigs(
  configs: GenerationConfigs,
  planOf: PlanOf,
): readonly PlannedConfig[] {
  const planned: PlannedConfig[] = [];
  for (const role of ROLES) {
    const stored = configs[role];
    const plan = stored && planOf(stored);
    if (stored !== undefined && plan !== undefined) planned.push({ role, stored, plan });
  }
  return planned;
}
