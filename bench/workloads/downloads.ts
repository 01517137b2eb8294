import { until } from '@sluice/testing';
import type pg from 'pg';
import type { ServiceProcess } from '../../tests/support/service-process.ts';
import type { TokenIssuer } from '../../tests/support/tokens.ts';
import { downloadAll, median, type Figure } from '../harness.ts';

const BSON = 'application/vnd.powersync.bson-stream';
const NDJSON = 'application/x-ndjson';

/**
 * Ops per second of complete downloads by fresh clients: the first after a start, one when others
 * have had the same before, and 50 together.
 */
export async function measureDownloads(options: {
  readonly service: ServiceProcess;
  readonly sql: pg.Client;
  readonly issuer: TokenIssuer;
  readonly documents: number;
}): Promise<Figure[]> {
  const { service, issuer, documents } = options;
  const token = issuer.token('reader');
  const expectedBytes = documents * 400;
  await until(
    'the documents are replicated',
    async () => (await downloadAll(service, token, BSON)) >= expectedBytes,
    120_000,
  );
  const figures: Figure[] = [await measureFirst(service, token, documents)];
  for (const [form, accept] of [
    ['BSON', BSON],
    ['NDJSON', NDJSON],
  ] as const) {
    for (const clients of [1, 50]) {
      const rates: number[] = [];
      for (let run = 0; run < 5; run += 1) {
        const startedAt = performance.now();
        await Promise.all(
          Array.from({ length: clients }, () => downloadAll(service, token, accept)),
        );
        rates.push((documents * clients * 1000) / (performance.now() - startedAt));
      }
      figures.push({
        name: `initial download, ${clients} client${clients > 1 ? 's' : ''}, ${form}`,
        unit: 'ops/s',
        value: median(rates),
        higherIsBetter: true,
      });
    }
  }
  return figures;
}

/** The service has nothing in memory; the operating system has. */
async function measureFirst(
  service: ServiceProcess,
  token: string,
  documents: number,
): Promise<Figure> {
  const rates: number[] = [];
  for (let run = 0; run < 5; run += 1) {
    await service.stop();
    service.start();
    await service.untilReady();
    const startedAt = performance.now();
    await downloadAll(service, token, BSON);
    rates.push((documents * 1000) / (performance.now() - startedAt));
  }
  return {
    name: 'initial download, first client after a start, BSON',
    unit: 'ops/s',
    value: median(rates),
    higherIsBetter: true,
  };
}
