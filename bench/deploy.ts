import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { LocalPostgres } from '@sluice/local-postgres';
import { ServiceProcess } from '../tests/support/service-process.ts';
import { TokenIssuer } from '../tests/support/tokens.ts';
import { connect, memoryMb } from './harness.ts';
import { createDeployTables, DEPLOY_CONFIG, measureDeploy } from './workloads/deploy.ts';

/**
 * `npm run bench -- --only deploy --rows N`: adds a stream over a table of N / 50 rows to a config
 * with N operations elsewhere, while a client is connected.
 */
const { values: options } = parseArgs({
  options: { rows: { type: 'string', default: '200000' }, only: { type: 'string' } },
});
const rows = Number(options.rows);
const newRows = Math.ceil(rows / 50);

const dir = await mkdtemp(path.join(tmpdir(), 'sluice-bench-'));
const postgres = await LocalPostgres.start({
  dataDir: path.join(dir, 'postgres'),
  settings: { max_wal_size: '8GB', shared_buffers: '512MB' },
});
const issuer = new TokenIssuer();
const service = await ServiceProcess.create({
  dir,
  databaseUrl: postgres.url(),
  syncConfig: '',
  issuer,
  config: DEPLOY_CONFIG,
});
const sql = await connect(postgres.url());
try {
  await createDeployTables(sql, { rows, newRows });
  service.start();
  const figures = await measureDeploy({ service, sql, issuer });
  const memory = await memoryMb(service.pid ?? 0);
  console.log({
    cpu: `${cpus().length} x ${cpus()[0]?.model}`,
    node: process.version,
    rows,
    newRows,
  });
  console.table({ ...figures, peakMemoryMb: memory.peak });
} catch (error) {
  console.error(service.log.slice(-4000));
  throw error;
} finally {
  await sql.end();
  await service.stop();
  await postgres.stop();
  await rm(dir, { recursive: true, force: true });
}
