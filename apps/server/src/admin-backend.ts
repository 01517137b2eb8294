import { AppError, toAppError, type JsonObject } from '@sluice/base';
import type { TableSchema } from '@sluice/model';
import type { ChangeSource } from '@sluice/source';
import type { BucketStorage, Generation } from '@sluice/storage';
import { compileSyncConfig, type CompiledSyncConfig } from '@sluice/sync-config';
import type { PostgresConnection } from './config/service-config.ts';
import type { AdminBackend } from './http/backend.ts';
import type { ReplicationStatus } from './service-status.ts';

export interface AdminBackendOptions {
  readonly connection: PostgresConnection | undefined;
  readonly source: ChangeSource | undefined;
  /** @throws StorageError while storage is not open. */
  readonly storage: () => BucketStorage;
  readonly replication: () => ReplicationStatus;
}

/** What the admin routes show (spec/protocol.md 1.3). */
export function adminBackend(options: AdminBackendOptions): AdminBackend {
  return {
    diagnostics: (request) => diagnostics(options, request.withContent),
    schema: () => schema(options),
    validate: (text) => validate(options, text),
    rulesInfo: (text) => rulesInfo(compile(options, text)),
    current: () => current(options),
  };
}

async function diagnostics(
  options: AdminBackendOptions,
  withContent: boolean,
): Promise<JsonObject> {
  const generations = await options.storage().generations();
  const active = generations.find(({ state }) => state === 'active');
  const preparing = generations.findLast(({ state }) => state === 'preparing');
  return {
    connections: await connectionStatus(options),
    ...(active ? { active_sync_rules: rulesStatus(options, active, withContent) } : {}),
    ...(preparing ? { deploying_sync_rules: rulesStatus(options, preparing, withContent) } : {}),
  };
}

async function connectionStatus(options: AdminBackendOptions): Promise<JsonObject[]> {
  const { connection, source } = options;
  if (!connection || !source) return [];
  const uri = `postgresql://${connection.hostname}:${connection.port}/${connection.database}`;
  const errors: JsonObject[] = [];
  try {
    for (const check of await source.check([])) {
      if (check.status !== 'ok') {
        const level = check.status === 'problem' ? 'fatal' : 'warning';
        errors.push({ level, message: check.message });
      }
    }
  } catch (error) {
    errors.push({ level: 'fatal', message: toAppError(error).message });
    return [{ id: connection.id, uri, postgres_uri: uri, connected: false, errors }];
  }
  return [{ id: connection.id, uri, postgres_uri: uri, connected: true, errors }];
}

function rulesStatus(
  options: AdminBackendOptions,
  generation: Generation,
  withContent: boolean,
): JsonObject {
  const { connection } = options;
  const status = options.replication();
  const isShown = status.generationId === generation.id;
  const compiled = compile(options, generation.configText);
  return {
    ...(withContent ? { content: generation.configText } : {}),
    connections: [
      {
        id: connection?.id ?? 'default',
        tag: connection?.tag ?? 'default',
        slot_name: generation.sourceHandle ?? '',
        initial_replication_done: generation.state === 'active',
        ...(isShown && status.position !== undefined ? { last_lsn: status.position } : {}),
        ...(isShown && status.lagBytes !== undefined
          ? { replication_lag_bytes: status.lagBytes }
          : {}),
        tables: tableInfo(compiled),
      },
    ],
    errors: [
      ...(status.lastError ? [{ level: 'fatal', message: status.lastError.message }] : []),
      ...replicationErrors(compiled),
    ],
  };
}

async function validate(options: AdminBackendOptions, text: string): Promise<JsonObject> {
  const { connection, source } = options;
  const errors: JsonObject[] = [];
  let sourceSchema: readonly TableSchema[] | undefined;
  try {
    sourceSchema = await source?.readSchema();
  } catch (error) {
    errors.push({ level: 'warning', message: toAppError(error).message });
  }
  const compiled = compile(options, text, sourceSchema);
  const place = { id: connection?.id ?? 'default', tag: connection?.tag ?? 'default' };
  return {
    connections: [
      { ...place, slot_name: '', initial_replication_done: false, tables: tableInfo(compiled) },
    ],
    errors: [...replicationErrors(compiled), ...errors],
  };
}

async function current(options: AdminBackendOptions): Promise<JsonObject> {
  const generations = await options.storage().generations();
  const active = generations.find(({ state }) => state === 'active');
  if (!active) throw new AppError('API_NO_ACTIVE_CONFIG', 'No sync config is active');
  return {
    slot_name: active.sourceHandle ?? '',
    content: active.configText,
    ...rulesInfo(compile(options, active.configText)),
  };
}

async function schema(options: AdminBackendOptions): Promise<JsonObject> {
  const { connection, source } = options;
  const tables = (await source?.readSchema()) ?? [];
  const names = [...new Set(tables.map((table) => table.schema))];
  const place = { id: connection?.id ?? 'default', tag: connection?.tag ?? 'default' };
  const schemas = names.map((name) => ({
    name,
    tables: tables.filter((table) => table.schema === name).map(tableSchema),
  }));
  return {
    connections: [{ ...place, schemas }],
    defaultConnectionTag: place.tag,
    defaultSchema: source?.defaultSchema ?? 'public',
  };
}

/** Type flags of spec/sync-config.md 17. */
const TYPE_FLAGS = { blob: 1, text: 2, integer: 4, real: 8 } as const;

function tableSchema(table: TableSchema): JsonObject {
  return {
    name: table.name,
    columns: table.columns.map((column) => ({
      name: column.name,
      sqlite_type: TYPE_FLAGS[column.sqliteType],
      internal_type: column.sourceType,
      type: column.sqliteType,
      pg_type: column.sourceType,
    })),
  };
}

function compile(
  options: AdminBackendOptions,
  text: string,
  sourceSchema?: readonly TableSchema[],
): CompiledSyncConfig {
  const defaultSchema = options.source?.defaultSchema ?? 'public';
  return compileSyncConfig(text, { defaultSchema, sourceSchema });
}

function replicationErrors({ diagnostics: found }: CompiledSyncConfig): JsonObject[] {
  return found.map(({ severity, message, start, end }) => ({
    level: severity === 'error' ? 'fatal' : 'warning',
    message,
    location: { start_offset: start, end_offset: end },
  }));
}

function tableInfo({ plan }: CompiledSyncConfig): JsonObject[] {
  return (plan?.tables ?? []).map((table) => ({
    schema: table.schema,
    name: table.name,
    ...(table.nameIsPrefix ? { pattern: `${table.name}%` } : {}),
    replication_id: [],
    data_queries: true,
    parameter_queries: true,
    errors: [],
  }));
}

function rulesInfo(compiled: CompiledSyncConfig): JsonObject {
  const { plan, diagnostics: found } = compiled;
  if (!plan) {
    const errors = found.filter(({ severity }) => severity === 'error');
    return { valid: false, errors: errors.map(({ message }) => message) };
  }
  const tables = plan.tables.map(({ schema: name, name: table }) => ({ schema: name, table }));
  return {
    valid: true,
    bucket_definitions: plan.definitions.map(({ name, kind, priority, isDefault }) => ({
      name,
      kind,
      priority,
      is_default: isDefault,
    })),
    source_tables: tables,
    data_tables: tables,
  };
}
