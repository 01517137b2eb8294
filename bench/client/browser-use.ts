import { readdir, readFile } from 'node:fs/promises';
import { cpuSeconds } from '../process-figures.ts';

const EVERY_MS = 250;

/** What a browser uses: memory is the sum over its processes of their own share (PSS), in MB. Linux only, NaN elsewhere. */
export class BrowserUse {
  readonly #profile: string;
  #peakMb = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `profile` is the folder by which the browser's processes are known. */
  constructor(profile: string) {
    this.#profile = profile;
  }

  async now(): Promise<number> {
    return shareMb(await familyOf(this.#profile));
  }

  /** Processor time of all its processes so far. */
  async cpuSeconds(): Promise<number> {
    const each = await Promise.all(
      (await familyOf(this.#profile)).map((pid) => cpuSeconds(Number(pid))),
    );
    return each.filter(Number.isFinite).reduce((sum, seconds) => sum + seconds, 0);
  }

  start(): void {
    this.#timer = setInterval(() => {
      void this.now().then((mb) => (this.#peakMb = Math.max(this.#peakMb, mb)));
    }, EVERY_MS);
  }

  /** The most that was seen. */
  stop(): number {
    clearInterval(this.#timer);
    return this.#peakMb;
  }
}

/** The browser's main process names the profile; all others descend from it. */
async function familyOf(profile: string): Promise<readonly string[]> {
  const parents = new Map<string, string>();
  const family = new Set<string>();
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const stat = await read(`/proc/${pid}/stat`);
    parents.set(pid, stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? '');
    if ((await read(`/proc/${pid}/cmdline`)).includes(profile)) family.add(pid);
  }
  for (const pid of parents.keys()) {
    const line: string[] = [];
    for (let at = pid; parents.has(at); at = parents.get(at) ?? '') line.push(at);
    if (line.some((ancestor) => family.has(ancestor))) family.add(pid);
  }
  return [...family];
}

async function shareMb(pids: readonly string[]): Promise<number> {
  let kilobytes = 0;
  for (const pid of pids) {
    const text = await read(`/proc/${pid}/smaps_rollup`);
    kilobytes += Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0);
  }
  return kilobytes === 0 ? Number.NaN : kilobytes / 1024;
}

/** Processes end while they are looked at. */
function read(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}
