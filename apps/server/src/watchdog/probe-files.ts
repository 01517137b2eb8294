import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pause, type Clock, type Logger } from '@sluice/base';
import type { ProbeState } from '../http/backend.ts';

const WRITE_MS = 1000;

/**
 * Probes as files, for where HTTP cannot be asked: `startup`, `readiness` and `liveness` in `dir`. A
 * file is there while its probe succeeds, and is written anew every second, so that its age tells
 * when even this loop stands still.
 */
export async function keepProbeFiles(
  options: {
    readonly dir: string;
    readonly probes: () => ProbeState;
    readonly clock: Clock;
    readonly logger: Logger;
  },
  signal: AbortSignal,
): Promise<void> {
  const { dir, probes, clock, logger } = options;
  let isBroken = false;
  while (!signal.aborted) {
    try {
      await writeProbeFiles(dir, probes());
      isBroken = false;
    } catch (error) {
      if (!isBroken) logger.error('probe_files_failed', { dir, message: String(error) });
      isBroken = true;
    }
    await pause(clock, WRITE_MS, signal);
  }
  await rm(dir, { recursive: true, force: true });
}

async function writeProbeFiles(dir: string, state: ProbeState): Promise<void> {
  await mkdir(dir, { recursive: true });
  const text = `${new Date(state.touchedAtMs).toISOString()}\n`;
  const files = { startup: state.started, readiness: state.ready, liveness: state.live };
  for (const [name, isGood] of Object.entries(files)) {
    const file = path.join(dir, name);
    if (isGood) await writeFile(file, text);
    else await rm(file, { force: true });
  }
}
