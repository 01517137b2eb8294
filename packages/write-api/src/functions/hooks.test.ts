import { AppError } from '@sluice/base';
import { until } from '@sluice/testing';
import { afterEach, describe, expect, test } from 'vitest';
import type { RowWrite, StoredRow } from '../pipeline/row-write.ts';
import type { WriteTransaction } from '../pipeline/table-steps.ts';
import { Rejection } from '../rejection.ts';
import type { AppFunctions, FunctionsOptions } from './app-functions.ts';
import { ANN, FunctionsFolder, rowWrite } from '../testing/functions-folder.ts';

let folder: FunctionsFolder;
afterEach(() => folder[Symbol.asyncDispose]());

/** A folder with one file of functions for `todos`. */
async function openTodos(
  functions: string,
  limits: FunctionsOptions['limits'] = {},
): Promise<AppFunctions> {
  folder = await FunctionsFolder.create({
    'todos.ts': `export default defineTable({ ${functions} });`,
  });
  return folder.open({ limits });
}

/** A transaction that knows its end only. */
function transaction() {
  const listeners: ((isCommitted: boolean) => void)[] = [];
  return {
    query: () => Promise.reject(new Error('this test has no database')),
    onEnd: (listener: (isCommitted: boolean) => void) => void listeners.push(listener),
    end: (isCommitted: boolean) => listeners.forEach((listener) => listener(isCommitted)),
  } satisfies WriteTransaction & Record<string, unknown>;
}

async function before(
  functions: AppFunctions,
  write: RowWrite,
  stored?: StoredRow,
  within: WriteTransaction = transaction(),
): Promise<RowWrite | undefined> {
  const [step] = functions.tableHooks(write.table)?.before?.steps ?? [];
  if (step === undefined) throw new Error('there is no hook');
  return step(write, stored, ANN, within);
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'no error',
    (error: unknown) => error,
  );
}

describe('a write that a hook lets through', () => {
  const values = new Map<string, bigint | number | string | null | Uint8Array>([
    ['big', 9007199254740993n],
    ['small', 5n],
    ['real', 1],
    ['text', 'x'],
    ['nothing', null],
    ['bytes', new Uint8Array([1, 2])],
    ['__proto__', 'p'],
  ]);

  test('keeps every value exactly when the hook does nothing', async () => {
    const functions = await openTodos('beforeWrite() {}');
    expect((await before(functions, rowWrite({ values })))?.values).toEqual(values);
  });

  test.each([
    ['a changed value', 'write.values.text = write.values.text.toUpperCase()', 'text', 'X'],
    ['a whole number', 'write.values.small += 1', 'small', 6n],
    ['a boolean', 'write.values.small = true', 'small', 1n],
    ['an object', 'write.values.text = { a: [1] }', 'text', '{"a":[1]}'],
    ['a date', 'write.values.text = new Date(0)', 'text', '1970-01-01T00:00:00.000Z'],
    ['a fraction', 'write.values.small = 0.5', 'small', 0.5],
    ['a removed column', 'delete write.values.text', 'text', undefined],
    [
      'the caller',
      'write.values.text = context.caller.userId + context.caller.claims.role',
      'text',
      'annadmin',
    ],
    [
      'the stored row',
      'write.values.text = write.old.text + typeof write.old.n',
      'text',
      'oldnumber',
    ],
    ['what the client saw', 'write.values.text = write.base.text', 'text', 'seen'],
    ['other values', 'return { text: "all" }', 'text', 'all'],
  ])('carries on %s', async (_, body, column, expected) => {
    const functions = await openTodos(`async beforeWrite(write, context) { ${body} }`);
    const base = new Map([['text', 'seen']]);
    const stored = new Map<string, string | bigint>([
      ['text', 'old'],
      ['n', 1n],
    ]);
    const result = await before(functions, rowWrite({ values, base }), stored);
    expect(result?.values.get(column)).toEqual(expected);
  });

  test('is written not at all when the hook says false', async () => {
    const functions = await openTodos('beforeWrite: () => false');
    expect(await before(functions, rowWrite())).toBeUndefined();
  });
});

describe('a hook that does not end well', () => {
  test.each([
    [
      'refuses',
      'throw new Reject("Too many", { code: "LIMIT" })',
      'FUNCTION_REJECTED',
      'Too many',
      'LIMIT',
    ],
    ['throws', 'null.x', 'FUNCTION_FAILED', 'todos.beforeWrite failed', undefined],
    ['throws no error', 'throw "text"', 'FUNCTION_FAILED', 'text', undefined],
    [
      'throws an error whose message throws',
      'throw Object.defineProperty(new Error(), "message", { get() { throw 1 } })',
      'FUNCTION_FAILED',
      'cannot be shown',
      undefined,
    ],
    [
      'gives what no column holds',
      'write.values.a = () => 1',
      'FUNCTION_FAILED',
      'The value for a is a function',
      undefined,
    ],
    ['loops', 'for (;;);', 'FUNCTION_STUCK', 'computed longer than', undefined],
    [
      'loops after a wait',
      'await new Promise((done) => setTimeout(done, 20)); for (;;);',
      'FUNCTION_STUCK',
      'computed longer',
      undefined,
    ],
    [
      'wants all memory',
      'const all = []; for (;;) all.push(new Array(1e6).fill(1.5));',
      'FUNCTION_ENDED',
      'memory',
      undefined,
    ],
    ['exits', 'process.exit(3)', 'FUNCTION_ENDED', 'code 3', undefined],
    [
      'kills its thread by an error outside of it',
      'setTimeout(() => { throw new Error("stray") }); await new Promise(() => {})',
      'FUNCTION_ENDED',
      'stray',
      undefined,
    ],
  ])(
    'is a rejection when it %s; the next call is served',
    async (_, body, code, message, reason) => {
      const functions = await openTodos(
        `async beforeWrite(write) { if (write.id === 'good') return; ${body} }`,
        { hookTimeoutMs: body.includes('all.push') ? 20_000 : 400, memoryMb: 32 },
      );
      const error = await failure(before(functions, rowWrite({ values: new Map([['a', 1n]]) })));
      expect(error).toBeInstanceOf(Rejection);
      expect(error).toMatchObject({
        code,
        reason,
        message: expect.stringContaining(message) as string,
      });
      expect(await before(functions, rowWrite({ id: 'good' }))).toBeDefined();
    },
  );

  test('is tried again later when it waits too long, and its signal tells it', async () => {
    const functions = await openTodos(
      `async beforeWrite(write, { signal, log }) {
        signal.addEventListener('abort', () => log.info('called off'));
        await new Promise(() => {});
      }`,
      { hookTimeoutMs: 200 },
    );
    const error = await failure(before(functions, rowWrite()));
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code: 'FUNCTION_TIMEOUT', retryable: true });
    expect(folder.logger.of('function_log')).toMatchObject([{ message: 'called off' }]);
  });

  test('goes to the log with file, line and stack', async () => {
    const functions = await openTodos('\n\nbeforeWrite() {\n  null.x;\n}');
    await failure(before(functions, rowWrite()));
    expect(folder.logger.of('function_threw')).toMatchObject([
      { function: 'todos', stack: expect.stringContaining('todos.ts:4:') as string },
    ]);
  });

  test('harms no other: promises rejected unheard go to the log, calls beside it are answered', async () => {
    const functions = await openTodos(
      `async beforeWrite(write) {
        if (write.id === 'stray') Promise.reject(new Error('unheard'));
        if (write.id === 'exit') process.exit();
        await new Promise((done) => setTimeout(done, 50));
      }`,
    );
    const ids = ['a', 'exit', 'b', 'stray', 'c', 'exit', 'd'];
    const results = await Promise.all(
      ids.map((id) => failure(before(functions, rowWrite({ id })))),
    );
    expect(results.map((result) => (result === 'no error' ? 'ok' : 'failed'))).toEqual(
      ids.map((id) => (id === 'exit' ? 'failed' : 'ok')),
    );
    expect(folder.logger.of('function_rejection_unhandled')).toMatchObject([
      { message: 'unheard' },
    ]);
  });
});

describe('threads', () => {
  test('are as many as allowed, and calls beyond them wait, or are told to come later', async () => {
    const functions = await openTodos(
      'async beforeWrite() { await new Promise((done) => setTimeout(done, 100)); }',
      { maxWaiting: 2, hookWorkers: 2 },
    );
    const calls = Array.from({ length: 6 }, () => failure(before(functions, rowWrite())));
    const results = await Promise.all(calls);
    expect(functions.workerCount).toBe(2);
    const codes = results.map((result) => (result instanceof AppError ? result.code : result));
    expect(codes.filter((code) => code === 'FUNCTION_BUSY').length).toBeGreaterThan(0);
    expect(codes.filter((code) => code === 'no error').length).toBeGreaterThanOrEqual(3);
  });

  test('a call does not wait for a thread for ever', async () => {
    const functions = await openTodos(
      'async beforeWrite() { await new Promise((done) => setTimeout(done, 1000)); }',
      { hookWorkers: 1, waitTimeoutMs: 50 },
    );
    const first = before(functions, rowWrite());
    expect(await failure(before(functions, rowWrite()))).toMatchObject({ code: 'FUNCTION_BUSY' });
    await first;
  });

  test('console and streams go to the log; a flood is cut off', async () => {
    const functions = await openTodos(
      `async beforeWrite(write) {
        if (write.id === 'flood') for (let n = 0; n < 10_000; n += 1) console.log(n);
        else { console.warn('%s!', 'hey', { a: 1 }); process.stdout.write('raw'); }
      }`,
    );
    await before(functions, rowWrite());
    await until('the output', () => folder.logger.of('function_output').length > 0);
    // The two come on ways of their own.
    expect(folder.logger.of('function_log')).toMatchObject([
      { level: 'warn', function: 'todos', message: 'hey! { a: 1 }' },
    ]);
    expect(folder.logger.of('function_output')).toMatchObject([{ level: 'info', message: 'raw' }]);
    await before(functions, rowWrite({ id: 'flood' }));
    expect(folder.logger.of('function_log').length).toBeLessThan(1_000);
  });
});

describe('after the commit', () => {
  const counted = `beforeWrite(write, { afterCommit, log }) {
    afterCommit(async () => { log.info('one ' + write.id); });
    afterCommit(() => { if (write.id === 'bad') throw new Error('mail server'); });
    afterCommit(() => { if (write.id === 'loop') for (;;); });
    afterCommit(() => log.info('last ' + write.id));
  }`;
  const messages = () => folder.logger.of('function_log').map(({ message }) => message);

  test('runs what was left for it, in order, and not before', async () => {
    const functions = await openTodos(counted);
    const within = transaction();
    await before(functions, rowWrite(), undefined, within);
    await before(functions, rowWrite({ id: 't2' }));
    expect(messages()).toEqual([]);
    within.end(true);
    await until('two lines', () => messages().length === 2);
    expect(messages()).toEqual(['one t1', 'last t1']);
  });

  test('drops it when the transaction is undone', async () => {
    const functions = await openTodos(counted);
    const within = transaction();
    await before(functions, rowWrite(), undefined, within);
    within.end(false);
    const next = transaction();
    await before(functions, rowWrite({ id: 't2' }), undefined, next);
    next.end(true);
    await until('two lines', () => messages().length === 2);
    expect(messages()).toEqual(['one t2', 'last t2']);
  });

  test.each([
    ['bad', 'FUNCTION_FAILED', 'mail server'],
    ['loop', 'FUNCTION_STUCK', 'computed longer'],
  ])('logs and counts an error there (%s)', async (id, code, message) => {
    const functions = await openTodos(counted, { endpointTimeoutMs: 200 });
    const within = transaction();
    await before(functions, rowWrite({ id }), undefined, within);
    within.end(true);
    await until('the error', () => folder.logger.of('function_after_commit_failed').length > 0);
    expect(folder.logger.of('function_after_commit_failed')).toMatchObject([
      { code, message: expect.stringContaining(message) as string },
    ]);
  });

  test('survives a reload in between', async () => {
    const functions = await openTodos(counted);
    const within = transaction();
    await before(functions, rowWrite(), undefined, within);
    await functions.reload();
    within.end(true);
    await until('two lines', () => messages().length === 2);
    await until('one thread', () => functions.workerCount === 1);
  });
});
