import { statSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { ServiceFacts } from './service-facts.ts';

const NS = 1e9;

/** How long the event loop of this thread is held up. */
export class LoopDelay {
  readonly #histogram = monitorEventLoopDelay({ resolution: 20 });

  constructor() {
    this.#histogram.enable();
  }

  /** Seconds by quantile, since the call before. */
  take(): Readonly<Record<string, number>> {
    const histogram = this.#histogram;
    const taken = {
      '0.5': histogram.percentile(50) / NS,
      '0.99': histogram.percentile(99) / NS,
      '1': histogram.max / NS,
    };
    histogram.reset();
    return taken;
  }

  stop(): void {
    this.#histogram.disable();
  }
}

export function processFacts(): ServiceFacts['process'] {
  const { user, system } = process.cpuUsage();
  return {
    residentBytes: process.memoryUsage.rss(),
    cpuSeconds: (user + system) / 1e6,
    startedAtSeconds: Math.round(Date.now() / 1000 - process.uptime()),
  };
}

/** Sizes of the files of an SQLite store; those that are not there are left out. */
export function storageBytes(path: string): Readonly<Record<string, number>> {
  const files = {
    database: path,
    wal: `${path}-wal`,
    write_checkpoints: `${path}-write-checkpoints`,
  };
  const sizes = Object.entries(files).flatMap(([name, file]) => {
    const size = statSync(file, { throwIfNoEntry: false })?.size;
    return size === undefined ? [] : [[name, size] as const];
  });
  return Object.fromEntries(sizes);
}
