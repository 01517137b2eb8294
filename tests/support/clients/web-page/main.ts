import { PowerSyncDatabase, WASQLiteVFS } from '@powersync/web';
import { APP_SCHEMA } from '../app-schema.ts';
import { ClientLog, DatabaseDriver } from '../database-driver.ts';
import type { PageClientOptions, PageGlobals } from '../page-clients.ts';

const globals = globalThis as unknown as PageGlobals;
const open = new Map<string, DatabaseDriver>();

globals.clients = {
  async open(options: PageClientOptions) {
    const log = new ClientLog();
    const db = new PowerSyncDatabase({
      schema: APP_SCHEMA,
      database: { dbFilename: `${options.name}.sqlite`, vfs: WASQLiteVFS[options.storage] },
      logger: log,
    });
    await db.waitForReady();
    const token = () => globals.tokenFor(options.name);
    open.set(options.name, new DatabaseDriver(db, log, { ...options, token }));
  },
  async call(name, method, args) {
    const driver = open.get(name);
    if (driver === undefined) throw new Error(`No client ${name} is open`);
    const run = driver[method] as (...given: unknown[]) => Promise<unknown>;
    return run.apply(driver, [...args]);
  },
};
