import { conditions, withBenchWorld } from '../bench-world.ts';
import { downloadAll } from '../harness.ts';
import type { Access } from './benched-client.ts';
import { createItems, ITEMS_SYNC_CONFIG } from './client-tables.ts';
import { loadavg } from 'node:os';

export interface ClientWorld {
  readonly access: Access;
  /** For databases and profiles of clients. */
  readonly dir: string;
}

const FORMS = ['application/x-ndjson', 'application/vnd.powersync.bson-stream'];

/** Runs `use` over a service that has the rows that clients sync. */
export function withClientWorld<T>(
  rows: number,
  use: (world: ClientWorld) => Promise<T>,
): Promise<T> {
  return withBenchWorld(
    { syncConfig: ITEMS_SYNC_CONFIG },
    async ({ service, sql, issuer, dir }) => {
      await createItems(sql, rows);
      service.start();
      await service.untilReady(300_000);
      const token = issuer.token('bench', 24 * 3600);
      // Who measures first is not the first to ask the service.
      for (const form of FORMS) await downloadAll(service, token, form);
      return use({ access: { endpoint: service.url, token }, dir });
    },
  );
}

/** What figures of clients depend on. */
export function clientConditions(rows: number): Readonly<Record<string, unknown>> {
  return { ...conditions(), load: loadavg()[0]?.toFixed(1), rows };
}
