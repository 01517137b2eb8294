import type { Generation, StoredConfig } from '@sluice/storage';

/** A sync config in storage, and the generation whose buckets it has. */
export interface DeployedConfig {
  readonly generation: Generation;
  readonly config: StoredConfig;
}

export interface DeployedConfigs {
  /** What clients are served by. */
  readonly active: DeployedConfig | undefined;
  /** What is being filled and takes over next. */
  readonly deploying: DeployedConfig | undefined;
  /** What can be gone back to at once. */
  readonly previous: DeployedConfig | undefined;
}

/** Finds the configs that matter among all generations, which come oldest first. */
export function deployedConfigs(generations: readonly Generation[]): DeployedConfigs {
  const active = generations.find(({ state }) => state === 'active');
  const preparing = generations.findLast(({ state }) => state === 'preparing');
  const filling = preparing?.configs.next ?? preparing?.configs.serving;
  return {
    active: at(active, active?.configs.serving),
    deploying: at(preparing, filling) ?? at(active, active?.configs.next),
    previous: at(active, active?.configs.previous),
  };
}

function at(
  generation: Generation | undefined,
  config: StoredConfig | undefined,
): DeployedConfig | undefined {
  return generation && config && { generation, config };
}
