import { AppError, toAppError, type Clock, type JsonObject, type Logger } from '@sluice/base';
import type { TableSchema } from '@sluice/model';
import type { DeployOutcome } from '@sluice/replication';
import type { ChangeSource, TableFacts } from '@sluice/source';
import type { BucketStorage } from '@sluice/storage';
import type { ConcernedSessions } from '@sluice/sync';
import { compileSyncConfig, type CompiledSyncConfig, type SyncPlan } from '@sluice/sync-config';
import type { PostgresConnection } from '../config/service-config.ts';
import type { AdminBackend, SqlRequest } from '../http/backend.ts';
import { requireSource } from '../open-stores.ts';
import type { ReplicatorRequest } from '../replicator/messages.ts';
import type { ReplicationStatus, ServiceStatus } from '../service-status.ts';
import { compileOrThrow, rulesInfo } from './compile-config.ts';
import type { DeployPlan } from './deploy-plan.ts';
import { deployStatus, type DeployStatus } from './deploy-status.ts';
import { deployedConfigs, type DeployedConfig, type DeployedConfigs } from './deployed-configs.ts';
import { readDeployPlan } from './read-deploy-plan.ts';
import { connectionPlace, rulesStatus, type DeployedStatus } from './rules-status.ts';
import { schemaPayload } from './schema-payload.ts';
import { problemError } from './table-infos.ts';

export interface AdminBackendOptions {
  readonly connection: PostgresConnection | undefined;
  readonly source: ChangeSource | undefined;
  /** @throws StorageError while storage is not open. */
  readonly storage: () => BucketStorage;
  readonly replication: () => ReplicationStatus;
  readonly status: () => ServiceStatus;
  /** Counts the connected clients that a plan concerns; `text` is what it was compiled from. */
  readonly concerned: (plan: SyncPlan, text: string) => Promise<ConcernedSessions>;
  /** Rows per second as measured while tables were read. */
  readonly rowsPerSecond: () => number | undefined;
  /** @throws AppError as `ReplicatorSupervisor.request`. */
  readonly request: (request: ReplicatorRequest) => Promise<DeployOutcome>;
  /** Whether the sync config comes from the configuration file. */
  readonly isPinned: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How long a deploy that needs a new slot may take to know its name. */
const HANDLE_WAIT_MS = 5000;
const HANDLE_POLL_MS = 50;

/** What the admin routes do and show (spec/protocol.md 1.2, 1.3). */
export function adminBackend(options: AdminBackendOptions): AdminBackend {
  return new ServiceAdmin(options);
}

class ServiceAdmin implements AdminBackend {
  readonly #options: AdminBackendOptions;
  readonly #startedAtMs: number;

  constructor(options: AdminBackendOptions) {
    this.#options = options;
    this.#startedAtMs = options.clock.now();
  }

  async executeSql({ sql, args, connectionId }: SqlRequest): Promise<JsonObject> {
    const { connection, source } = this.#options;
    const none = { columns: [], rows: [] };
    if (!connection || (connectionId !== undefined && connectionId !== connection.id)) {
      return { success: false, results: none, error: 'There is no such connection' };
    }
    if (!connection.debugApi) {
      const error = `SQL is switched off: set debug_api on connection ${connection.id}`;
      return { success: false, results: none, error };
    }
    try {
      const { columns, rows } = await requireSource(source).runQuery(sql, args);
      return { success: true, results: { columns, rows: rows as JsonObject[][] } };
    } catch (error) {
      return { success: false, results: none, error: toAppError(error).message };
    }
  }

  async diagnostics({ withContent }: { readonly withContent: boolean }): Promise<JsonObject> {
    const { active, deploying } = await this.#deployed();
    const status = async (deployed: DeployedConfig, isActive: boolean): Promise<JsonObject> => {
      const { text } = deployed.config;
      const compiled = this.#compile(text);
      return rulesStatus({
        connection: this.#options.connection,
        compiled,
        tables: await this.#tables(compiled),
        deployed: await this.#deployedStatus(deployed, isActive),
        content: withContent ? text : undefined,
      });
    };
    return {
      connections: await this.#connections(),
      ...(active ? { active_sync_rules: await status(active, true) } : {}),
      ...(deploying ? { deploying_sync_rules: await status(deploying, false) } : {}),
    };
  }

  async schema(): Promise<JsonObject> {
    const { connection, source } = this.#options;
    const tables = (await source?.readSchema()) ?? [];
    return schemaPayload(connection, tables, this.#defaultSchema);
  }

  async validate(text: string): Promise<JsonObject> {
    const { connection, source } = this.#options;
    const errors: JsonObject[] = [];
    let sourceSchema: readonly TableSchema[] | undefined;
    try {
      sourceSchema = await source?.readSchema();
    } catch (error) {
      errors.push({ level: 'fatal', message: toAppError(error).message });
    }
    const compiled = this.#compile(text, sourceSchema);
    if (source && sourceSchema) {
      const checks = await source.check(compiled.plan?.tables ?? []);
      const problems = checks.filter(({ status }) => status !== 'ok');
      // What concerns tables stands with each of them, and names are checked by the compiler.
      errors.push(...problems.filter(({ name }) => !name.startsWith('tables_')).map(problemError));
    }
    return rulesStatus({ connection, compiled, tables: await this.#tables(compiled), errors });
  }

  rulesInfo(text: string): JsonObject {
    return rulesInfo(this.#compile(text));
  }

  async current(): Promise<{ readonly current: JsonObject; readonly next: JsonObject | null }> {
    const { active, deploying } = await this.#deployed();
    if (!active) throw noActiveConfig();
    const shown = ({ generation, config }: DeployedConfig): JsonObject => ({
      slot_name: generation.sourceHandle ?? '',
      content: config.text,
      ...rulesInfo(this.#compile(config.text)),
    });
    return { current: shown(active), next: deploying ? shown(deploying) : null };
  }

  async deploy(text: string): Promise<JsonObject> {
    this.#assertNotPinned();
    compileOrThrow(text, { defaultSchema: this.#defaultSchema }, 'sync config');
    return this.#perform({ kind: 'deploy', configText: text });
  }

  async rollBack(): Promise<JsonObject> {
    this.#assertNotPinned();
    return this.#perform({ kind: 'rollBack' });
  }

  async reprocess(): Promise<JsonObject> {
    const { active, deploying } = await this.#deployed();
    if (!active) throw noActiveConfig();
    if (deploying) {
      throw new AppError('API_DEPLOY_IN_PROGRESS', 'Another sync config is being filled');
    }
    return this.#perform({ kind: 'reprocess' });
  }

  place(): JsonObject {
    return connectionPlace(this.#options.connection);
  }

  async plan(text: string): Promise<DeployPlan> {
    const { source, concerned, rowsPerSecond } = this.#options;
    return readDeployPlan(text, {
      generations: await this.#options.storage().generations(),
      source,
      concerned,
      rowsPerSecond: rowsPerSecond(),
    });
  }

  async status(): Promise<DeployStatus> {
    const { status, isPinned } = this.#options;
    return deployStatus(await this.#deployed(), { service: status(), isPinned });
  }

  /** Has the replicator do it, and answers with the slot that feeds what was deployed. */
  async #perform(request: ReplicatorRequest): Promise<JsonObject> {
    const { logger } = this.#options;
    requireSource(this.#options.source);
    const outcome = await this.#options.request(request);
    const { generationId, kept, filled, dropped, serves } = outcome;
    logger.info('sync_config_deployed', {
      how: request.kind,
      generation: generationId,
      kept: kept.length,
      filled: filled.length,
      dropped: dropped.length,
      serves,
    });
    return { slot_name: outcome.sourceHandle ?? (await this.#handleOf(generationId)) };
  }

  /** A new generation gets its slot soon after it was made; without one the name is empty. */
  async #handleOf(generationId: number): Promise<string> {
    const { clock, storage } = this.#options;
    const deadlineMs = clock.now() + HANDLE_WAIT_MS;
    for (;;) {
      const generations = await storage().generations();
      const handle = generations.find(({ id }) => id === generationId)?.sourceHandle;
      if (handle !== undefined || clock.now() > deadlineMs) return handle ?? '';
      await clock.sleep(HANDLE_POLL_MS);
    }
  }

  #assertNotPinned(): void {
    if (!this.#options.isPinned) return;
    throw new AppError(
      'API_SYNC_CONFIG_PINNED',
      'The sync config comes from the configuration file',
    );
  }

  async #deployed(): Promise<DeployedConfigs> {
    return deployedConfigs(await this.#options.storage().generations());
  }

  async #connections(): Promise<JsonObject[]> {
    const { connection, source } = this.#options;
    if (!connection || !source) return [];
    const uri = `postgresql://${connection.hostname}:${connection.port}/${connection.database}`;
    const checks = await source.check([]).catch((error: unknown) => {
      const { message } = toAppError(error);
      return [{ name: 'connection', status: 'problem' as const, message, remedy: [] }];
    });
    const problems = checks.filter(({ status }) => status !== 'ok');
    const connected = !problems.some(({ name }) => name === 'connection');
    const errors = problems.map(problemError);
    return [{ id: connection.id, uri, postgres_uri: uri, connected, errors }];
  }

  async #deployedStatus(deployed: DeployedConfig, isActive: boolean): Promise<DeployedStatus> {
    const { source, clock, replication } = this.#options;
    const { sourceHandle } = deployed.generation;
    return {
      ...deployed,
      isActive,
      replication: replication(),
      retention:
        sourceHandle === undefined
          ? undefined
          : await unlessAway(async () => source?.logRetention(sourceHandle)),
      startedAtMs: this.#startedAtMs,
      nowMs: clock.now(),
    };
  }

  async #tables({ plan }: CompiledSyncConfig): Promise<readonly TableFacts[] | undefined> {
    if (!plan) return undefined;
    return unlessAway(async () => this.#options.source?.describeTables(plan.tables));
  }

  #compile(text: string, sourceSchema?: readonly TableSchema[]): CompiledSyncConfig {
    return compileSyncConfig(text, { defaultSchema: this.#defaultSchema, sourceSchema });
  }

  get #defaultSchema(): string {
    return this.#options.source?.defaultSchema ?? 'public';
  }
}

/** What the source says; undefined while it cannot be asked, which is told elsewhere. */
async function unlessAway<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (toAppError(error).code.startsWith('SOURCE_')) return undefined;
    throw error;
  }
}

function noActiveConfig(): AppError {
  return new AppError('API_NO_ACTIVE_CONFIG', 'No sync config is active');
}
