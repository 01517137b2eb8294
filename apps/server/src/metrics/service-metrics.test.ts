import { expect, it } from 'vitest';
import { zeroMeters } from '../replicator/meters.ts';
import { emptyStatus } from '../replicator/status-reducer.ts';
import { NO_TRAFFIC } from '../serving/traffic.ts';
import type { ServiceFacts } from './service-facts.ts';
import { ServiceMetrics } from './service-metrics.ts';

const FACTS: ServiceFacts = {
  nowMs: 5000,
  replication: { ...emptyStatus(2000), state: 'streaming' },
  meters: { ...zeroMeters(), opsDropped: 7, compactionMs: 1500 },
  gauges: undefined,
  traffic: {
    ...NO_TRAFFIC,
    caches: { segments: { hits: 3, misses: 1, bytes: 10 } },
    streams: {
      open: { http: 2, websocket: 1 },
      closed: { ...NO_TRAFFIC.streams.closed, client_left: 4, client_too_slow: 5 },
      tooSlow: { http: 2, websocket: 3 },
    },
  },
  storageBytes: { database: 4096 },
  retention: undefined,
  errors: { SOURCE_TIMEOUT: 2 },
  problems: {},
  probes: { liveness: 1 },
  canary: undefined,
  loopDelay: {},
  process: { residentBytes: 1, cpuSeconds: 2, startedAtSeconds: 3 },
};

/** The samples, without comments. */
async function samples(metrics: ServiceMetrics): Promise<readonly string[]> {
  return (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

it('gives the facts of the moment, in base units, under their labels', async () => {
  const lines = await samples(new ServiceMetrics(() => FACTS));
  expect(lines).toEqual(
    expect.arrayContaining([
      'sluice_replicator_state{state="streaming"} 1',
      'sluice_replicator_silence_seconds 3',
      'sluice_connections{transport="http"} 2',
      'sluice_connections_closed_total{reason="client_left"} 4',
      'sluice_cache_hits_total{cache="segments"} 3',
      'sluice_compaction_operations_removed_total 7',
      'sluice_compaction_seconds_total 1.5',
      'sluice_errors_total{code="SOURCE_TIMEOUT"} 2',
      'sluice_storage_bytes{file="database"} 4096',
    ]),
  );
});

it('leaves out what is not known, also when it was known before', async () => {
  let facts: ServiceFacts = { ...FACTS, replication: { ...FACTS.replication, lagBytes: 9 } };
  const metrics = new ServiceMetrics(() => facts);
  expect(await samples(metrics)).toContain('sluice_replication_lag_bytes 9');
  facts = FACTS;
  const lines = await samples(metrics);
  expect(lines.filter((line) => /lag_bytes|sync_lines|canary_sent/.test(line))).toEqual([]);
});

it('counts on where it stood, and forgets states that are over', async () => {
  let facts = FACTS;
  const metrics = new ServiceMetrics(() => facts);
  await samples(metrics);
  facts = { ...FACTS, replication: { ...FACTS.replication, state: 'waiting' } };
  const lines = await samples(metrics);
  expect(lines).toContain('sluice_errors_total{code="SOURCE_TIMEOUT"} 2');
  expect(lines.filter((line) => line.includes('_state{'))).toEqual([
    'sluice_replicator_state{state="waiting"} 1',
  ]);
});

it('keeps the times of the canary as a histogram', async () => {
  const metrics = new ServiceMetrics(() => FACTS);
  metrics.observeCanary(30);
  const lines = await samples(metrics);
  expect(lines).toContain('sluice_canary_seconds_bucket{le="0.025"} 0');
  expect(lines).toContain('sluice_canary_seconds_bucket{le="0.05"} 1');
  expect(lines).toContain('sluice_canary_seconds_count 1');
});
