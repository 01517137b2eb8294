import type { JsonObject } from '@sluice/base';
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
  /** When replication was last seen to progress, or else when this process began. */
  readonly lastProgressAtMs: number;
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

/** What the status of replication says about this config's generation; unknown facts are left out. */
function progress({ replication, retention, generation }: DeployedStatus): JsonObject {
  const isShown = replication.generationId === generation.id;
  const { position, lastProgressAtMs, lastCheckpointAtMs, lagBytes } = replication;
  return {
    ...(isShown
      ? {
          ...given('last_lsn', position),
          ...given('last_keepalive_ts', isoTime(lastProgressAtMs)),
          ...given('last_checkpoint_ts', isoTime(lastCheckpointAtMs)),
          ...given('replication_lag_bytes', lagBytes),
        }
      : {}),
    ...given('wal_status', retention?.status),
    ...given('safe_wal_size', retention?.remainingBytes),
    ...given('max_slot_wal_keep_size', retention?.limitBytes),
  };
}

function given(name: string, value: string | number | undefined): JsonObject {
  return value === undefined ? {} : { [name]: value };
}

function isoTime(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}

function deployedErrors(deployed: DeployedStatus): JsonObject[] {
  const { replication, isActive, retention, lastProgressAtMs, nowMs } = deployed;
  const { lastError } = replication;
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
    ...(isActive ? ageErrors(lastProgressAtMs, nowMs) : []),
    ...retentionErrors(retention),
  ];
}

function distinct(errors: readonly JsonObject[]): JsonObject[] {
  return [...new Map(errors.map((error) => [JSON.stringify(error), error])).values()];
}
