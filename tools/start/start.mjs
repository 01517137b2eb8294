// `npm start`: from a fresh clone to a running `sluice dev`. Plain Node, since nothing is installed yet.
// Installs when node_modules is missing or older than the lockfile, builds what changed, then starts.
import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const oldestNode = [20, 19];

checkNode();
if (needsInstall()) {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  await step('Installing packages', 'npm', ['ci', ...quiet], {
    shell: process.platform === 'win32',
    advice: 'Check the network and run npm ci to see everything it says',
    // npm ci also refuses when a package for some other platform is missing in the lockfile.
    retry: { when: /npm error code EUSAGE/, args: ['install', '--no-save', ...quiet] },
  });
}
await step('Building', process.execPath, [tsc(), '-b', 'apps/cli'], {
  advice: 'Run npm run clean and try again; if it persists, report the lines above',
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

function tsc() {
  return path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
}

/** Runs a command quietly, with the time on one line; what it printed is shown only if it fails. */
async function step(title, command, args, { advice, retry, shell = false }) {
  const startedAt = Date.now();
  const seconds = () => `${((Date.now() - startedAt) / 1000).toFixed(1)} s`;
  const live = process.stdout.isTTY;
  if (live) process.stdout.write(`  … ${title}`);
  const ticker = live
    ? setInterval(() => process.stdout.write(`\r  … ${title} ${seconds()}`), 200)
    : undefined;
  let { status, output } = await run(command, args, shell);
  if (status !== 0 && retry?.when.test(output)) {
    ({ status, output } = await run(command, retry.args, shell));
  }
  clearInterval(ticker);
  const clear = live ? '\r\x1b[2K' : '';
  if (status === 0) {
    process.stdout.write(`${clear}  ✓ ${title}  ${seconds()}\n`);
    return;
  }
  process.stdout.write(`${clear}  ✗ ${title}  ${seconds()}\n\n${output.trim()}\n\n${advice}.\n`);
  process.exit(1);
}

function run(command, args, shell) {
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
