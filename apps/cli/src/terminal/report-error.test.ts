import { AppError } from '@sluice/base';
import { CommanderError } from 'commander';
import { expect, test } from 'vitest';
import { printError } from './report-error.ts';
import { createScreen } from './screen.ts';

function printed(error: unknown, verbose = false): string {
  let text = '';
  printError(createScreen({ write: (part) => (text += part) }, {}), error, verbose);
  return text;
}

test('an error says what happened, its code and what to do, without a stack trace', () => {
  const error = new AppError('CLI_PORT_IN_USE', 'Another program listens on port 8080', {
    remedy: 'Stop it, or choose another port with --port',
  });
  expect(printed(error)).toBe(
    '✗ Another program listens on port 8080 (CLI_PORT_IN_USE)\n' +
      '  Stop it, or choose another port with --port\n',
  );
});

test('with --verbose the stack traces of the error and its causes follow', () => {
  const error = new AppError('SOURCE_UNREACHABLE', 'No answer', {
    cause: new Error('ECONNREFUSED'),
  });
  expect(printed(error, true)).toMatch(
    /report-error\.test[\s\S]*ECONNREFUSED[\s\S]*report-error\.test/,
  );
});

test('wrong arguments and unexpected errors have the same form', () => {
  const usage = new CommanderError(1, 'commander.unknownOption', "error: unknown option '--prot'");
  expect(printed(usage)).toMatch(/^✗ Unknown option '--prot' \(CLI_USAGE\)\n {2}See sluice --help/);
  expect(printed(new TypeError('x is not a function'))).toMatch(
    /^✗ x is not a function \(INTERNAL_BUG\)\n {2}.*--verbose/,
  );
});
