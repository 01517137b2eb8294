import type { JsonObject } from '@sluice/base';
import type { ConfigStatus } from '@sluice/replication';
import type { LogRetention, TableFacts } from '@sluice/source';
import type { CompiledSyncConfig } from '@sluice/sync-config';
import type { PostgresConnection } from '../config/service-config.ts';
import type { ReplicationStatus } from '../service-status.ts';
import { replicationErrors } from './compile-config.ts';
import { ageErrors, retentionErrors } from './config-warnings.ts';
import type { DeployedConfig } from './deployed-configs.ts';
import { tableInfos } from './table-infos.ts';

export interface RulesStatusInput {
  readonly connection: PostgresConnection | undefined;
  readonly compiled: CompiledSyncConfig;
  /** Undefined where the source could not be asked. */
  readonly tables: readonly TableFacts[] | undefined;
  /** Undefined for a config that is only being looked at. */
  readonly deployed?: DeployedStatus | undefined;
  readonly content?: string | undefined;
  /** What else is wrong. */
  readonly errors?: readonly JsonObject[] | undefined;
}

export interface DeployedStatus extends DeployedConfig {
  readonly isActive: boolean;
  readonly replication: ReplicationStatus;
  readonly retention: LogRetention | undefined;
  /** When this process began to look. */
  readonly startedAtMs: number;
  readonly nowMs: number;
}

/** A SyncRulesStatus of spec/protocol.md 1.3. */
export function rulesStatus(input: RulesStatusInput): JsonObject {
  const { connection, compiled, deployed, content } = input;
  const { plan } = compiled;
  return {
    ...(content === undefined ? {} : { content }),
    connections: [
      {
        ...connectionPlace(connection),
        slot_name: deployed?.generation.sourceHandle ?? '',
        initial_replication_done: deployed?.isActive === true,
        ...(deployed ? progress(deployed) : {}),
        tables: plan ? tableInfos(plan, input.tables) : [],
      },
    ],
    errors: distinct([
      ...replicationErrors(compiled),
      ...(deployed ? deployedErrors(deployed) : []),
      ...(input.errors ?? []),
    ]),
  };
}

export function connectionPlace(connection: PostgresConnection | undefined): {
  readonly id: string;
  readonly tag: string;
} {
  return { id: connection?.id ?? 'default', tag: connection?.tag ?? 'default' };
}

function progress(deployed: DeployedStatus): JsonObject {
  const { retention } = deployed;
  const seen = generationStatus(deployed);
  return {
    ...given('last_lsn', seen?.position),
    ...given('last_keepalive_ts', isoTime(seen?.lastProgressAtMs)),
    ...given('last_checkpoint_ts', isoTime(seen?.lastCheckpointAtMs)),
    ...given('replication_lag_bytes', seen?.lagBytes),
    ...given('wal_status', retention?.status),
    ...given('safe_wal_size', retention?.remainingBytes),
    ...given('max_slot_wal_keep_size', retention?.limitBytes),
  };
}

function generationStatus({ replication, generation }: DeployedStatus) {
  return replication.generations.find(({ id }) => id === generation.id);
}

function given(name: string, value: string | number | undefined): JsonObject {
  return value === undefined ? {} : { [name]: value };
}

function isoTime(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}

function deployedErrors(deployed: DeployedStatus): JsonObject[] {
  const { replication, isActive, retention, startedAtMs, nowMs } = deployed;
  const { lastError } = replication;
  const seen = generationStatus(deployed);
  return [
    ...(lastError
      ? [
          {
            level: 'fatal',
            message: `${lastError.code}: ${lastError.message}`,
            ts: new Date(lastError.sinceMs).toISOString(),
          },
        ]
      : []),
    ...configErrors(seen?.configs.find(({ hash }) => hash === deployed.config.hash)),
    ...(isActive ? ageErrors(seen?.lastProgressAtMs ?? startedAtMs, nowMs) : []),
    ...retentionErrors(retention),
  ];
}

/** Tables that could not be read, and rows that could not be evaluated. */
function configErrors(config: ConfigStatus | undefined): JsonObject[] {
  const failures = (config?.failures ?? []).map(({ table, code, message }) => ({
    level: 'fatal',
    message: `${table}: ${code}: ${message}`,
  }));
  const problems = (config?.evaluationProblems ?? []).map(
    ({ definition, table, message, count }) => ({
      level: 'warning',
      message: `${definition}: ${count} of the rows of ${table} left out: ${message}`,
    }),
  );
  return [...failures, ...problems];
}

function distinct(errors: readonly JsonObject[]): JsonObject[] {
  return [...new Map(errors.map((error) => [JSON.stringify(error), error])).values()];
}
