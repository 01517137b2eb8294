import { PowerSyncDatabase, WASQLiteVFS } from '@powersync/web';
import { POWERSYNC_SCHEMA, PowerSyncClient } from '../powersync-client.ts';
import { BenchPage } from './bench-page.ts';

globalThis.benchPage = new BenchPage(async ({ access, name, vfs }) => {
  const db = new PowerSyncDatabase({
    schema: POWERSYNC_SCHEMA,
    database: { dbFilename: `${name}.db`, vfs: WASQLiteVFS[vfs as keyof typeof WASQLiteVFS] },
  });
  await db.waitForReady();
  return new PowerSyncClient(db, access);
});
