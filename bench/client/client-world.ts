import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LocalPostgres } from '@sluice/local-postgres';
import { ServiceProcess } from '../../tests/support/service-process.ts';
import { TokenIssuer } from '../../tests/support/tokens.ts';
import { connect, downloadAll } from '../harness.ts';
import type { Access } from './benched-client.ts';
import { createItems, ITEMS_SYNC_CONFIG } from './client-tables.ts';

const FORMS = ['application/x-ndjson', 'application/vnd.powersync.bson-stream'];

/** A database and the service over it, with the rows that clients sync. */
export class ClientWorld implements AsyncDisposable {
  /** For databases and profiles of clients. */
  readonly dir: string;
  readonly access: Access;
  readonly #postgres: LocalPostgres;
  readonly #service: ServiceProcess;

  private constructor(parts: {
    readonly dir: string;
    readonly access: Access;
    readonly postgres: LocalPostgres;
    readonly service: ServiceProcess;
  }) {
    this.dir = parts.dir;
    this.access = parts.access;
    this.#postgres = parts.postgres;
    this.#service = parts.service;
  }

  static async start(rows: number): Promise<ClientWorld> {
    const dir = await mkdtemp(path.join(tmpdir(), 'sluice-bench-'));
    const settings = { max_wal_size: '4GB', shared_buffers: '256MB' };
    const postgres = await LocalPostgres.start({ dataDir: path.join(dir, 'postgres'), settings });
    const sql = await connect(postgres.url());
    await createItems(sql, rows);
    await sql.end();
    const issuer = new TokenIssuer();
    const service = await ServiceProcess.create({
      dir,
      databaseUrl: postgres.url(),
      syncConfig: ITEMS_SYNC_CONFIG,
      issuer,
    });
    service.start();
    await service.untilReady(300_000);
    // Who measures first is not the first to ask the service.
    const token = issuer.token('bench', 24 * 3600);
    for (const form of FORMS) await downloadAll(service, token, form);
    const access = { endpoint: service.url, token };
    return new ClientWorld({ dir, access, postgres, service });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#service.stop();
    await this.#postgres.stop();
    await rm(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }
}
