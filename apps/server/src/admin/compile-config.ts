import { ConfigError, type JsonObject } from '@sluice/base';
import type { TablePattern, TableSchema } from '@sluice/model';
import {
  compileSyncConfig,
  formatDiagnostic,
  type CompiledSyncConfig,
  type Diagnostic,
  type EventInfo,
  type SyncPlan,
} from '@sluice/sync-config';

/** What the sync config is compiled for. */
export interface CompileTarget {
  readonly defaultSchema: string;
  readonly sourceSchema?: readonly TableSchema[] | undefined;
}

/** The plan, or an error that shows each problem with its place. @throws ConfigError `CONFIG_SYNC_INVALID`. */
export function compileOrThrow(text: string, target: CompileTarget, name: string): SyncPlan {
  const { plan, diagnostics } = compileSyncConfig(text, target);
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if (plan !== undefined && errors.length === 0) return plan;
  throw syncConfigError(text, errors, name);
}

/** `CONFIG_SYNC_INVALID` for these errors; `name` says where the text is from. */
export function syncConfigError(
  text: string,
  errors: readonly Diagnostic[],
  name: string,
): ConfigError {
  const listing = errors.map((error) => formatDiagnostic(text, error, name)).join('\n\n');
  const count = errors.length === 1 ? '1 error' : `${errors.length} errors`;
  return new ConfigError('CONFIG_SYNC_INVALID', `The sync config has ${count}\n\n${listing}`, {
    details: { problems: errors, listing },
  });
}

/** ReplicationErrors of spec/protocol.md 1.3. */
export function replicationErrors({ diagnostics }: CompiledSyncConfig): JsonObject[] {
  return diagnostics.map(({ severity, code, message, fix, start, end }) => ({
    level: severity === 'error' ? 'fatal' : 'warning',
    message: `${code}: ${message}${fix === undefined ? '' : ` (${fix})`}`,
    location: { start_offset: start, end_offset: end },
  }));
}

/** A RulesInfo of spec/protocol.md 1.3. */
export function rulesInfo({ plan, diagnostics }: CompiledSyncConfig): JsonObject {
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if (!plan || errors.length > 0) {
    return { valid: false, errors: errors.map(({ code, message }) => `${code}: ${message}`) };
  }
  return {
    valid: true,
    bucket_definitions: plan.definitions.map(({ name, kind, priority, isDefault, hash }) => ({
      name,
      kind,
      priority,
      is_default: isDefault,
      hash,
    })),
    source_tables: plan.tables.map(namedTable),
    data_tables: plan.dataTables.map(namedTable),
    ...(plan.events.length === 0 ? {} : { events: plan.events.map(eventInfo) }),
  };
}

function eventInfo({ name, makesWriteCheckpoints, tables }: EventInfo): JsonObject {
  return { name, makes_write_checkpoints: makesWriteCheckpoints, tables: tables.map(namedTable) };
}

function namedTable(pattern: TablePattern): JsonObject {
  return {
    schema: pattern.schema + (pattern.schemaIsPrefix ? '%' : ''),
    table: pattern.name + (pattern.nameIsPrefix ? '%' : ''),
  };
}
