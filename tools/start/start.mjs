// `npm start`: from a fresh clone to a running `sluice dev`. Plain Node, since nothing is installed yet.
// Installs when node_modules is missing or older than the lockfile, builds what changed, then starts.
import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const oldestNode = [20, 19];

checkNode();
const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
if (needsInstall()) {
  // Install scripts follow below, beside the build: compiling SQLite takes most of a minute.
  await step('Installing packages', [npm(['ci', '--ignore-scripts', ...quiet])], {
    advice: 'Check the network and run npm ci to see everything it says',
  });
}
const work = [
  { command: process.execPath, args: [tsc(), '-b', 'apps/cli'] },
  { command: process.execPath, args: [path.join(root, 'tools', 'start', 'build-todo.mjs')] },
];
const sqlite = needsSqlite() ? [npm(['rebuild', 'better-sqlite3', ...quiet])] : [];
const title = sqlite.length > 0 ? 'Building, and getting SQLite ready' : 'Building';
await step(title, [...work, ...sqlite], {
  advice: 'Run npm ci and npm run clean and try again; if it persists, report the lines above',
});
// In this process, so that Ctrl-C and the exit code need no forwarding.
process.argv = [process.argv[0], 'sluice', 'dev', ...process.argv.slice(2)];
await import(pathToFileURL(path.join(root, 'apps', 'cli', 'dist', 'main.js')).href);

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return;
  console.error(
    `Sluice needs Node.js ${oldestNode.join('.')} or newer, and this is ${process.version}. Install a newer one from https://nodejs.org, or run: nvm install 22`,
  );
  process.exit(1);
}

function needsInstall() {
  const installed = path.join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) return true;
  return statSync(installed).mtimeMs < statSync(path.join(root, 'package-lock.json')).mtimeMs;
}

/** Whether the native part of better-sqlite3 is still missing. */
function needsSqlite() {
  const binding = 'node_modules/better-sqlite3/build/Release/better_sqlite3.node';
  return !existsSync(path.join(root, binding));
}

function npm(args) {
  return { command: 'npm', args, shell: process.platform === 'win32' };
}

function tsc() {
  return path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
}

/** Runs commands side by side, quietly; what they printed is shown only if one fails. */
async function step(title, commands, { advice }) {
  const startedAt = Date.now();
  const seconds = () => `${((Date.now() - startedAt) / 1000).toFixed(1)} s`;
  const live = process.stdout.isTTY;
  if (live) process.stdout.write(`  … ${title}`);
  const ticker = live
    ? setInterval(() => process.stdout.write(`\r  … ${title} ${seconds()}`), 200)
    : undefined;
  const failed = (await Promise.all(commands.map(run))).filter(({ status }) => status !== 0);
  clearInterval(ticker);
  const clear = live ? '\r\x1b[2K' : '';
  if (failed.length === 0) {
    process.stdout.write(`${clear}  ✓ ${title}  ${seconds()}\n`);
    return;
  }
  const output = failed.map((one) => one.output.trim()).join('\n\n');
  process.stdout.write(`${clear}  ✗ ${title}  ${seconds()}\n\n${output}\n\n${advice}.\n`);
  process.exit(1);
}

function run({ command, args, shell = false }) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, shell, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (part) => (output = (output + part).slice(-20_000));
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    child.once('error', (error) => resolve({ status: 1, output: String(error) }));
    child.once('exit', (status) => resolve({ status, output }));
  });
}
