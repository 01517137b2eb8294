import path from 'node:path';
import { PowerSyncDatabase } from '@powersync/node';
import { APP_SCHEMA } from './app-schema.ts';
import { ClientLog, DatabaseDriver } from './database-driver.ts';
import type { ClientPlatform, TestClient, TestClientOptions } from './test-client.ts';

/** The official Node client, unchanged, in this process. */
class NodeClient extends DatabaseDriver implements TestClient {
  constructor(dir: string, options: TestClientOptions) {
    const log = new ClientLog();
    const dbFilename = path.join(dir, `${options.name}.sqlite`);
    super(
      new PowerSyncDatabase({ schema: APP_SCHEMA, database: { dbFilename }, logger: log }),
      log,
      { ...options, token: async () => options.token() },
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Opens Node clients whose databases lie in `dir`. */
export function nodePlatform(dir: string): ClientPlatform {
  return {
    open: async (options) => new NodeClient(dir, options),
    [Symbol.asyncDispose]: async () => {},
  };
}
