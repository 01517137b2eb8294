import { SourceError } from '@sluice/base';
import type { TablePattern } from '@sluice/model';
import type { ChangeSource, TableFacts } from '@sluice/source';
import type { Generation, StoredConfig } from '@sluice/storage';
import type { ConcernedSessions } from '@sluice/sync';
import { compileSyncConfig, type SyncPlan } from '@sluice/sync-config';
import { compileOrThrow } from './compile-config.ts';
import { deployedConfigs } from './deployed-configs.ts';
import { planDeploy, type DeployPlan } from './deploy-plan.ts';

export interface DeployPlanContext {
  readonly generations: readonly Generation[];
  readonly source: ChangeSource | undefined;
  /** Counts the connected clients that a plan concerns; undefined where none are known. */
  readonly concerned: ((plan: SyncPlan, text: string) => Promise<ConcernedSessions>) | undefined;
  readonly rowsPerSecond: number | undefined;
}

/**
 * Plans the deploy of a sync config onto what is stored.
 *
 * @throws ConfigError `CONFIG_SYNC_INVALID` when it has errors.
 */
export async function readDeployPlan(
  text: string,
  context: DeployPlanContext,
): Promise<DeployPlan> {
  const defaultSchema = context.source?.defaultSchema ?? 'public';
  const wanted = compileOrThrow(text, { defaultSchema }, 'sync config');
  // What an older version accepted may no longer compile; then it is as if all were new.
  const planOf = (config: StoredConfig | undefined): SyncPlan | undefined =>
    config && compileSyncConfig(config.text, { defaultSchema }).plan;
  const { active, previous } = deployedConfigs(context.generations);
  const serving = planOf(active?.config);
  const { concerned } = context;
  const before = planOf(previous?.config)?.parts ?? [];
  return planDeploy({
    wanted,
    serving,
    alsoFilled: new Set(before.map(({ hash }) => hash)),
    tables: await tablesOf(context.source, wanted.tables),
    concerned: concerned && {
      wanted: await concerned(wanted, text),
      serving: serving && active && (await concerned(serving, active.config.text)),
    },
    rowsPerSecond: context.rowsPerSecond,
  });
}

async function tablesOf(
  source: ChangeSource | undefined,
  patterns: readonly TablePattern[],
): Promise<readonly TableFacts[] | undefined> {
  try {
    return await source?.describeTables(patterns);
  } catch (error) {
    // Without the source the plan says less, but what it says is right.
    if (error instanceof SourceError) return undefined;
    throw error;
  }
}
