import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CliContext } from '../cli-context.ts';
import { catchInterrupts } from '../terminal/interrupt.ts';
import { createScreen } from '../terminal/screen.ts';
import { checkRules } from '../sync-config/check-rules.ts';
import { validateCommand, type ValidateOptions } from './validate.ts';

const GOOD = 'config: { edition: 3 }\nstreams:\n  a:\n    query: SELECT * FROM t\n';
const BAD = 'config: { edition: 3 }\nstreams:\n  a:\n    query: SELECT id, uper(x) AS y FROM t\n';
const WARNED = GOOD.replace('*', 'name');
const DIFFERING = GOOD.replace('FROM t', "FROM t WHERE state != 'gone'");

const EVENTS = `${GOOD}event_definitions:
  audit: { payloads: [SELECT a FROM t] }
  write_checkpoints: { payloads: ['SELECT user_id, client_id, checkpoint FROM marks'] }
`;

let cwd: string;
beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'sluice-validate-'));
  const files = { events: EVENTS, good: GOOD, bad: BAD, warned: WARNED, differing: DIFFERING };
  for (const [name, text] of Object.entries(files)) {
    await writeFile(path.join(cwd, `${name}.yaml`), text);
  }
});
afterAll(() => rm(cwd, { recursive: true }));

/** What the command prints, and the message of its failure. */
async function validate(
  files: readonly string[],
  options: ValidateOptions = {},
  env: Readonly<Record<string, string>> = {},
): Promise<{ output: string; failure: string | undefined }> {
  let output = '';
  const screen = createScreen({ columns: 80, write: (part) => (output += part) }, env);
  using interrupt = catchInterrupts();
  const context: CliContext = { screen, errors: screen, cwd, env, interrupt, version: '0' };
  try {
    await validateCommand(context, files, options);
    return { output, failure: undefined };
  } catch (error) {
    return { output, failure: error instanceof Error ? error.message : String(error) };
  }
}

describe('sluice validate', () => {
  test('sums a valid file up and says that names were not checked', async () => {
    expect(await validate(['good.yaml'])).toEqual({
      failure: undefined,
      output:
        '✓ good.yaml is valid: 1 definition, 1 table\n' +
        '  Names were not checked against a database: add --db URL, or --config FILE, or start sluice dev\n',
    });
  });

  test('shows each problem with its place and a caret, and fails', async () => {
    const { output, failure } = await validate(['bad.yaml', 'good.yaml']);
    expect(output).toContain(
      [
        '  bad.yaml:4:23: error UNKNOWN_FUNCTION: There is no function uper',
        '        query: SELECT id, uper(x) AS y FROM t',
        '                          ^^^^',
        '  fix: Did you mean upper?',
        '',
        '✗ bad.yaml: 1 error',
        '✓ good.yaml is valid',
      ].join('\n'),
    );
    expect(failure).toBe('2 files have 1 error, see above');
  });

  test('fails on warnings only with --strict', async () => {
    const lenient = await validate(['warned.yaml']);
    expect(lenient.output).toContain('✓ warned.yaml is valid: 1 definition, 1 table; 1 warning');
    expect(lenient.failure).toBeUndefined();
    const strict = await validate(['warned.yaml'], { strict: true });
    expect(strict.failure).toBe('warned.yaml has 1 warning, see above');
  });

  test('counts what edition 4 would do otherwise, and lists it with --exact', async () => {
    const hint = '1 place would behave otherwise in edition 4: --exact shows it';
    expect((await validate(['differing.yaml'])).output).toContain(hint);
    const { output } = await validate(['differing.yaml'], { exact: true });
    expect(output).toMatch(/differing\.yaml:4:\d+: info EXACT_SEMANTICS: /);
    expect(output).not.toContain(hint);
  });

  test('prints JSON for tools, with ranges and edits', async () => {
    const { output, failure } = await validate(['bad.yaml'], { json: true });
    const start = { line: 4, column: 23, offset: BAD.indexOf('uper') };
    const end = { line: 4, column: 27, offset: BAD.indexOf('uper') + 4 };
    expect(JSON.parse(output)).toEqual({
      version: 1,
      ok: false,
      schemaChecked: false,
      errors: 1,
      warnings: 0,
      exactDifferences: 0,
      files: [
        {
          file: 'bad.yaml',
          diagnostics: [
            {
              code: 'UNKNOWN_FUNCTION',
              severity: 'error',
              message: 'There is no function uper',
              fix: 'Did you mean upper?',
              edit: { range: { start, end }, text: 'upper' },
              range: { start, end },
            },
          ],
        },
      ],
    });
    expect(failure).toBe('bad.yaml has 1 error, see above');
  });

  test('colours only where that is wanted', async () => {
    expect((await validate(['bad.yaml'])).output).not.toContain('\u001b[');
    expect((await validate(['bad.yaml'], {}, { FORCE_COLOR: '1' })).output).toContain('\u001b[31m');
    const both = { FORCE_COLOR: '1', NO_COLOR: '1' };
    expect((await validate(['bad.yaml'], {}, both)).output).not.toContain('\u001b[');
  });

  test('says what to name where there is no sync config', async () => {
    expect((await validate([])).failure).toBe('There is no sync config here, and none is named');
  });

  test('checks the rules for writes in the configuration of a service', () => {
    const text = 'write_api:\n  tables:\n    lists:\n      update: "true and auth.user_id = x"\n';
    const checked = checkRules('sluice.yaml', text, undefined);
    const [problem] = checked?.diagnostics ?? [];
    expect(checked).toMatchObject({ errorCount: 1, ruleCount: 1 });
    expect(text.slice(problem?.start, problem?.end)).toBe('auth.user_id');
    expect(checkRules('sluice.yaml', 'write_api: {}', undefined)).toBeUndefined();
  });
});

test('says who gives out write checkpoints, and which events nothing consumes', async () => {
  const { output } = await validate(['events.yaml']);
  expect(output).toContain('events.yaml is valid: 1 definition, 2 tables');
  expect(output).toContain(
    'Write checkpoints come from rows of marks: the service gives out none itself',
  );
  expect(output).toContain('Nothing consumes the event audit');
  expect((await validate(['good.yaml'])).output).not.toContain('rite checkpoints');
});
