import { spawn } from 'node:child_process';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { ClientWorld } from './client/client-world.ts';
import { printContenders, type RunFigures } from './client/contender-table.ts';
import type { Figure } from './harness.ts';

/** `npm run bench -- --only client`: our client beside `@powersync/node`, each in a process of its own. */
const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    rows: { type: 'string', default: '100000' },
    runs: { type: 'string', default: '3' },
    inserts: { type: 'string', default: '3000' },
    megabytes: { type: 'string', default: '200' },
    json: { type: 'string' },
    'cpu-prof': { type: 'string' },
  },
});

const CONTENDERS = ['sluice', 'powersync'];
const CHILD = path.resolve('.cache/bench-client/node-child.mjs');
/** A child that says nothing for so long is stuck. */
const CHILD_TIMEOUT_MS = 300_000;

/** Beside node_modules, so that packages are found there as an app finds them: built. */
async function buildChild(): Promise<void> {
  await mkdir(path.dirname(CHILD), { recursive: true });
  await build({
    entryPoints: [path.join(import.meta.dirname, 'client/node-child.ts')],
    outfile: CHILD,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
  });
}

async function runChild(args: Readonly<Record<string, string>>): Promise<Figure[]> {
  const profile = options['cpu-prof'];
  const flags = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const given = Object.entries(args).map(([name, value]) => `--${name}=${value}`);
  if (profile !== undefined) given.push('--caller');
  const child = spawn(process.execPath, [...flags, CHILD, ...given], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: CHILD_TIMEOUT_MS,
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`A client's process ended with ${code}`);
  return JSON.parse(text.trim().split('\n').at(-1) ?? '[]') as Figure[];
}

async function measure(client: string, world: ClientWorld, run: number): Promise<Figure[]> {
  const dir = path.join(world.dir, `${client}-${run}`);
  await mkdir(dir);
  const file = path.join(dir, 'client.db');
  const { rows, inserts, megabytes } = options;
  const access = JSON.stringify(world.access);
  const base = { client, file, access, rows, inserts };
  const synced = await runChild({ ...base, phase: 'sync', megabytes });
  const { size } = await stat(file);
  const cold = await runChild({ ...base, phase: 'cold' });
  await rm(dir, { recursive: true });
  const figure = { name: 'size of the file in the end', unit: 'MB', higherIsBetter: false };
  return [...synced, ...cold, { ...figure, value: size / 2 ** 20 }];
}

await buildChild();
await using world = await ClientWorld.start(Number(options.rows));
const runs: RunFigures[] = [];
for (let run = 0; run < Number(options.runs); run++) {
  const figures = new Map<string, Figure[]>(CONTENDERS.map((name) => [name, []]));
  const order = run % 2 === 0 ? CONTENDERS : CONTENDERS.toReversed();
  for (const name of order) figures.set(name, await measure(name, world, run));
  runs.push(figures);
}
const conditions = {
  node: process.version,
  cpu: `${cpus().length} x ${cpus()[0]?.model}`,
  load: loadavg()[0]?.toFixed(1),
  rows: options.rows,
};
console.log(conditions);
printContenders(runs);
if (options.json !== undefined) {
  const plain = runs.map((figures) => Object.fromEntries(figures));
  await writeFile(options.json, JSON.stringify({ conditions, runs: plain }, undefined, 2));
}
