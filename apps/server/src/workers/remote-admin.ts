import { AppError, type Clock, type JsonObject } from '@sluice/base';
import { compileSyncConfig } from '@sluice/sync-config';
import { rulesInfo } from '../admin/compile-config.ts';
import type { DeployPlan } from '../admin/deploy-plan.ts';
import type { DeployStatus } from '../admin/deploy-status.ts';
import { connectionPlace } from '../admin/rules-status.ts';
import type { PostgresConnection } from '../config/service-config.ts';
import type { AdminBackend, SqlRequest } from '../http/backend.ts';
import { PendingRequests, type Answer } from '../replicator/pending-requests.ts';
import type { AdminRequest } from './messages.ts';

/** More than the main process itself waits for the replicator and for a slot's name. */
const ANSWER_MS = 45_000;

export interface RemoteAdminOptions {
  readonly connection: PostgresConnection | undefined;
  readonly defaultSchema: string;
  readonly post: (id: number, request: AdminRequest) => void;
  readonly clock: Clock;
}

/** The admin routes of a worker: the main process answers, so that it does not matter which is asked. */
export class RemoteAdmin implements AdminBackend {
  readonly #options: RemoteAdminOptions;
  readonly #pending: PendingRequests<unknown>;

  constructor(options: RemoteAdminOptions) {
    this.#options = options;
    this.#pending = new PendingRequests({
      clock: options.clock,
      answerMs: ANSWER_MS,
      unanswered: (seconds) =>
        new AppError('API_ADMIN_UNANSWERED', `The main process did not answer within ${seconds} s`),
    });
  }

  take(answer: Answer<unknown>): void {
    this.#pending.take(answer);
  }

  executeSql(argument: SqlRequest): Promise<JsonObject> {
    return this.#ask({ method: 'executeSql', argument });
  }

  diagnostics(argument: { readonly withContent: boolean }): Promise<JsonObject> {
    return this.#ask({ method: 'diagnostics', argument });
  }

  schema(): Promise<JsonObject> {
    return this.#ask({ method: 'schema' });
  }

  validate(argument: string): Promise<JsonObject> {
    return this.#ask({ method: 'validate', argument });
  }

  rulesInfo(text: string): JsonObject {
    const { defaultSchema } = this.#options;
    return rulesInfo(compileSyncConfig(text, { defaultSchema }));
  }

  current(): Promise<{ readonly current: JsonObject; readonly next: JsonObject | null }> {
    return this.#ask({ method: 'current' });
  }

  deploy(argument: string): Promise<JsonObject> {
    return this.#ask({ method: 'deploy', argument });
  }

  rollBack(): Promise<JsonObject> {
    return this.#ask({ method: 'rollBack' });
  }

  reprocess(): Promise<JsonObject> {
    return this.#ask({ method: 'reprocess' });
  }

  place(): JsonObject {
    return connectionPlace(this.#options.connection);
  }

  plan(argument: string): Promise<DeployPlan> {
    return this.#ask({ method: 'plan', argument });
  }

  status(): Promise<DeployStatus> {
    return this.#ask({ method: 'status' });
  }

  /** The answer is what the same method of the main process's `AdminBackend` gave. */
  #ask<T>(request: AdminRequest): Promise<T> {
    return this.#pending.send((id) => this.#options.post(id, request)) as Promise<T>;
  }
}

/** In the main process: does what a worker was asked for. */
export function performAdmin(admin: AdminBackend, request: AdminRequest): Promise<unknown> {
  switch (request.method) {
    case 'executeSql':
      return admin.executeSql(request.argument);
    case 'diagnostics':
      return admin.diagnostics(request.argument);
    case 'validate':
    case 'deploy':
    case 'plan':
      return admin[request.method](request.argument);
    case 'schema':
    case 'current':
    case 'rollBack':
    case 'reprocess':
    case 'status':
      return admin[request.method]();
  }
}
