// `npm test`: everything that must hold, on a clone where nothing is installed yet.
// Plain Node without dependencies, because it runs before they are there.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const reports = path.join(root, '.cache', 'test-reports');
const counts = { passed: 0, failed: 0, skipped: 0 };
const failures = [];

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

/** Runs one vitest project and adds up what it reports. */
function vitest(project) {
  const report = path.join(reports, `${project}.json`);
  rmSync(report, { force: true });
  run(`tests: ${project}`, 'npx', [
    ...['vitest', 'run', '--project', project],
    ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
  ]);
  if (!existsSync(report)) {
    failures.push(`tests: ${project} wrote no report`);
    return;
  }
  const result = JSON.parse(readFileSync(report, 'utf8'));
  counts.passed += result.numPassedTests;
  counts.failed += result.numFailedTests;
  counts.skipped += result.numPendingTests + result.numTodoTests;
  if (result.numTotalTests === 0) failures.push(`tests: ${project} ran no test`);
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
  for (const project of ['unit', 'db', 'system']) vitest(project);
}

if (failures.length > 0) console.log(`\nFailed: ${failures.join(', ')}`);
const failed = Math.max(counts.failed, failures.length);
console.log(`\n${counts.passed} passed, ${failed} failed, ${counts.skipped} skipped`);
process.exitCode = failed === 0 && counts.passed > 0 ? 0 : 1;
