import type { ServiceStatus } from '../service-status.ts';
import type { DeployedConfig, DeployedConfigs } from './deployed-configs.ts';

/** Which configs there are, and what the service does. JSON as it is: the status route answers with it. */
export interface DeployStatus {
  readonly service: ServiceStatus;
  /** Whether the sync config comes from the configuration file. */
  readonly isPinned: boolean;
  readonly active: DeployedFacts | null;
  readonly deploying: DeployedFacts | null;
  readonly previous: DeployedFacts | null;
}

interface DeployedFacts {
  /** `SyncPlan.hash`. */
  readonly hash: string;
  readonly generationId: number;
  readonly deployedAtMs: number;
}

export function deployStatus(
  { active, deploying, previous }: DeployedConfigs,
  around: Pick<DeployStatus, 'service' | 'isPinned'>,
): DeployStatus {
  return {
    ...around,
    active: facts(active),
    deploying: facts(deploying),
    previous: facts(previous),
  };
}

function facts(deployed: DeployedConfig | undefined): DeployedFacts | null {
  if (deployed === undefined) return null;
  const { config, generation } = deployed;
  return { hash: config.hash, generationId: generation.id, deployedAtMs: config.deployedAtMs };
}
