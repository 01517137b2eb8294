import { openDatabase } from '@sluice/client-web';
import { SLUICE_SCHEMA, SluiceClient } from '../sluice-client.ts';
import { BenchPage } from './bench-page.ts';

globalThis.benchPage = new BenchPage(async ({ access, name }) => {
  const db = await openDatabase({ name, schema: SLUICE_SCHEMA });
  if (db.storage !== 'kept') throw new Error('The database is in memory');
  return new SluiceClient(db, access);
});
