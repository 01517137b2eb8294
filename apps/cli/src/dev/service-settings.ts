import { sourceUrl } from '../database/connection-url.ts';
import { DEV_AUDIENCE } from './dev-token.ts';

export interface ServiceSettings {
  readonly databaseUrl: string;
  readonly storagePath: string;
  readonly port: number;
  /** The file of the keys that sign tokens. */
  readonly keyFile: string;
  /** Whom `GET /token?user_id=…` makes tokens for. */
  readonly users: readonly string[];
  /** Folder with the app's functions, if there is one. */
  readonly functions?: string | undefined;
  /** Opens the admin API. */
  readonly apiToken: string;
  /** More keys of the section `write_api`. */
  readonly writeApi?: Readonly<Record<string, unknown>> | undefined;
  /** A folder with the files of a web app. */
  readonly webApp?: string | undefined;
}

/**
 * The configuration that `sluice dev` runs the service with, in the form of a configuration file
 * (spec/sync-config.md 19.2), so that it passes the same checks. Without `sync_config`: it is
 * deployed through the API, so that a changed file can be taken up while the service runs.
 */
export function serviceSettings(settings: ServiceSettings): Record<string, unknown> {
  return {
    replication: { connections: [{ type: 'postgresql', uri: sourceUrl(settings.databaseUrl) }] },
    storage: { type: 'sqlite', path: settings.storagePath },
    host: '127.0.0.1',
    port: settings.port,
    write_api: {
      ...settings.writeApi,
      tokens: { keys: settings.keyFile, audience: [DEV_AUDIENCE] },
      ...(settings.functions ? { functions: settings.functions, reload_functions: true } : {}),
      sign_in: { users: Object.fromEntries(settings.users.map((user) => [user, {}])) },
    },
    api: {
      tokens: [settings.apiToken],
      ...(settings.webApp !== undefined && { web_app: settings.webApp }),
    },
  };
}
