// A Vitest reporter for `npm test`: one JSON file with what `test.mjs` needs at its end. Unlike Vitest's own JSON it has
// the errors that belong to no test (a rejection that nobody handled, a worker that died), which fail a run as well.
import { writeFileSync } from 'node:fs';
import path from 'node:path';

export default class Report {
  onTestRunEnd(modules, unhandled) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const inState = (state) => tests.filter((test) => test.result().state === state);
    const failedModules = modules.filter((module) => module.state() === 'failed');
    const summary = {
      passed: inState('passed').length,
      failed: inState('failed').length,
      skipped: inState('skipped').length,
      failedFiles: failedModules.map((module) => ({
        file: path.relative(process.cwd(), module.moduleId),
        tests: [...module.children.allTests('failed')].map(({ fullName }) => fullName),
        errors: module.errors().map(textOf),
      })),
      durations: modules.map((module) => ({
        file: path.relative(process.cwd(), module.moduleId),
        seconds: secondsOf(module.diagnostic()),
      })),
      unhandled: unhandled.map((error) => ({ file: fileOf(error), text: textOf(error) })),
    };
    writeFileSync(process.env.SLUICE_TEST_REPORT, JSON.stringify(summary));
  }
}

/** The test file that ran when the error came up, which need not be the one that caused it. */
function fileOf({ VITEST_TEST_PATH: file }) {
  return file === undefined ? undefined : path.relative(process.cwd(), file);
}

/** What a file took: starting its process, loading it, and its tests. */
function secondsOf({
  environmentSetupDuration,
  prepareDuration,
  setupDuration,
  collectDuration,
  duration,
}) {
  const ms =
    environmentSetupDuration + prepareDuration + setupDuration + collectDuration + duration;
  return ms / 1000;
}

function textOf({ name, message, stack, VITEST_TEST_NAME: test }) {
  const lines = (stack ?? `${name}: ${message}`).split('\n').slice(0, 12);
  return [...(test === undefined ? [] : [`while "${test}" ran`]), ...lines].join('\n      ');
}
