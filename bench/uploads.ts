import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { LocalPostgres } from '@sluice/local-postgres';
import { ServiceProcess } from '../tests/support/service-process.ts';
import { TokenIssuer } from '../tests/support/tokens.ts';
import { connect, memoryMb, type Figure } from './harness.ts';
import { printTable } from './table.ts';
import { measureUploads, UPLOAD_SYNC_CONFIG, UPLOAD_TABLES } from './workloads/uploads.ts';

/** `npm run bench -- --only uploads [--cpu-prof DIR]`: the write API, as the service serves it. */
const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    'cpu-prof': { type: 'string' },
    seconds: { type: 'string', default: '8' },
  },
});
const profile = options['cpu-prof'];
const dir = await mkdtemp(path.join(tmpdir(), 'sluice-bench-'));
const postgres = await LocalPostgres.start({
  dataDir: path.join(dir, 'postgres'),
  settings: { max_wal_size: '4GB', shared_buffers: '512MB' },
});
const issuer = new TokenIssuer();
const service = await ServiceProcess.create({
  dir,
  databaseUrl: postgres.url(),
  syncConfig: UPLOAD_SYNC_CONFIG,
  issuer,
  config: { write_api: { max_pool_size: 16 } },
  nodeOptions: profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`],
});
const sql = await connect(postgres.url());
try {
  await sql.query(UPLOAD_TABLES);
  service.start();
  await service.untilReady();
  const figures: Figure[] = [];
  const seconds = Number(options.seconds);
  figures.push(...(await measureUploads({ service, sql, issuer, url: postgres.url(), seconds })));
  const memory = await memoryMb(service.pid ?? 0);
  figures.push({ name: 'peak memory', unit: 'MB', value: memory.peak, higherIsBetter: false });
  const conditions = { node: process.version, cpu: `${cpus().length} x ${cpus()[0]?.model}` };
  printTable(conditions, figures, []);
} catch (error) {
  console.error(service.log.slice(-4000));
  throw error;
} finally {
  await sql.end();
  await service.stop();
  await postgres.stop();
  await rm(dir, { recursive: true, force: true });
}
