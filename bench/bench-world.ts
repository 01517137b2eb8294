import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { LocalPostgres } from '@sluice/local-postgres';
import type pg from 'pg';
import { ServiceProcess } from '../tests/support/service-process.ts';
import { TokenIssuer } from '../tests/support/tokens.ts';
import { connect } from './harness.ts';

/** A database and a service for one bench, in processes of their own. */
export interface BenchWorld {
  /** Not started yet, so that tables can be made first. */
  readonly service: ServiceProcess;
  readonly sql: pg.Client;
  readonly issuer: TokenIssuer;
  readonly databaseUrl: string;
  /** A temporary folder that ends with the world; the service's files are in it. */
  readonly dir: string;
}

export interface BenchWorldOptions {
  readonly syncConfig: string;
  /** Further keys of the service's configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** A folder for profiles of the service's threads. */
  readonly profile?: string | undefined;
}

/** Runs `use` in a world that ends with it; when it fails, the end of the service's log is printed. */
export async function withBenchWorld<T>(
  { syncConfig, config, profile }: BenchWorldOptions,
  use: (world: BenchWorld) => Promise<T>,
): Promise<T> {
  const dir = await mkdtemp(path.join(tmpdir(), 'sluice-bench-'));
  const postgres = await LocalPostgres.start({
    dataDir: path.join(dir, 'postgres'),
    settings: { max_wal_size: '8GB', shared_buffers: '512MB' },
  });
  const issuer = new TokenIssuer();
  const databaseUrl = postgres.url();
  const service = await ServiceProcess.create({
    dir,
    databaseUrl,
    syncConfig,
    issuer,
    nodeOptions: profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`],
    ...(config === undefined ? {} : { config }),
  });
  const sql = await connect(databaseUrl);
  try {
    return await use({ service, sql, issuer, databaseUrl, dir });
  } catch (error) {
    console.error(service.log.slice(-4000));
    throw error;
  } finally {
    await sql.end();
    await service.stop();
    await postgres.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

/** What any figure depends on. */
export function conditions(): Readonly<Record<string, string>> {
  return { node: process.version, cpu: `${cpus().length} x ${cpus()[0]?.model}` };
}
