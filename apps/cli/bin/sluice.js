#!/usr/bin/env node
// Runs the built command; in a clone that was never built, builds it first.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    `Sluice needs Node.js 20.19 or newer, and this is ${process.version}. Install a newer one from https://nodejs.org, or run: nvm install 22`,
  );
  process.exit(1);
}

const packageDir = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const main = path.join(packageDir, 'dist', 'main.js');
if (!existsSync(main)) build();
await import(pathToFileURL(main).href);

function build() {
  process.stderr.write('Building sluice (first time only) … ');
  const startedAt = Date.now();
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const run = (...flags) =>
    spawnSync(process.execPath, [tsc, '-b', ...flags, packageDir], { encoding: 'utf8' });
  let result = run();
  // Where only the output was deleted, the build records still call it up to date.
  if (result.status === 0 && !existsSync(main)) result = run('--force');
  if (result.status !== 0 || !existsSync(main)) {
    process.stderr.write(`failed\n${result.stdout}${result.stderr}\n`);
    process.exit(1);
  }
  process.stderr.write(`${((Date.now() - startedAt) / 1000).toFixed(1)} s\n`);
}
