import { spawn } from 'node:child_process';
import { mkdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { withClientWorld, type ClientWorld } from './client/client-world.ts';
import { compare } from './client/compare.ts';
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
  const access = JSON.stringify(world.access);
  const { rows: count, inserts, megabytes } = options;
  const base = { client, file, access, rows: count, inserts };
  const synced = await runChild({ ...base, phase: 'sync', megabytes });
  const { size } = await stat(file);
  const cold = await runChild({ ...base, phase: 'cold' });
  await rm(dir, { recursive: true });
  const figure = { name: 'size of the file in the end', unit: 'MB', higherIsBetter: false };
  return [...synced, ...cold, { ...figure, value: size / 2 ** 20 }];
}

await buildChild();
const rows = Number(options.rows);
await withClientWorld(rows, (world) =>
  compare(
    { contenders: CONTENDERS, runs: Number(options.runs), rows, json: options.json },
    (name, run) => measure(name, world, run),
  ),
);
