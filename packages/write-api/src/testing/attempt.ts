import type { SqliteValue } from '@sluice/model';
import type { TableRules } from '../config/write-api-config.ts';
import type { Caller, RowValues, RowWrite, WriteOp } from '../pipeline/row-write.ts';
import type { TransactionStep, WriteTransaction } from '../pipeline/table-steps.ts';
import type { RuleTable } from '../policy/rule-table.ts';
import { tableSteps } from '../policy/table-rules.ts';
import { Rejection } from '../rejection.ts';

export type Values = Readonly<Record<string, SqliteValue>>;

/** Rules with which everything is allowed. */
export const FREE: TableRules = {
  insert: 'true',
  update: 'true',
  updateCheck: undefined,
  delete: 'true',
  read: undefined,
  insertColumns: undefined,
  updateColumns: undefined,
  required: [],
  immutable: [],
  setOnInsert: new Map(),
  setOnUpdate: new Map(),
  validate: [],
  conflict: { kind: 'last_write_wins' },
};

export const LISTS: RuleTable = table('lists', {
  id: 'text',
  owner_id: 'text',
  name: 'text',
  is_public: 'bool',
  likes: 'int4',
  price: 'numeric',
  version: 'int4',
  created_by: 'text',
  updated_at: 'text',
});

function table(name: string, types: Readonly<Record<string, string>>): RuleTable {
  const columns = Object.entries(types).map(([column, baseType]) => {
    const kind = 'plain' as const;
    return [
      column,
      {
        name: column,
        castType: baseType,
        storedType: baseType,
        baseType,
        kind,
        elementType: undefined,
        typeOid: 0,
        isGenerated: false,
        isDeterministic: true,
      },
    ] as const;
  });
  return { name, columns: new Map(columns) };
}

export const ANN: Caller = { userId: 'ann', claims: { sub: 'ann', role: 'user' }, clientId: 'c1' };

/** Fails a test whose rules should not need a database. */
export const NO_DATABASE: WriteTransaction = {
  query: (sql) => Promise.reject(new Error(`asked the database: ${sql}`)),
  onEnd: () => {},
};

/** A database that is only asked how it reads values, all of which are what they look like. */
export const READING: WriteTransaction = {
  query: (_, values = []) => {
    const row = Object.fromEntries(values.map((value, i) => [`v${i}`, value]));
    return Promise.resolve({ rows: [row], rowCount: 1 });
  },
  onEnd: () => {},
};

export const WORLD = {
  now: () => new Date('2026-03-04T05:06:07.089Z'),
  uuid: () => '00000000-0000-4000-8000-000000000001',
};

export function write(op: WriteOp, values: Values = {}, base?: Values): RowWrite {
  return {
    op,
    table: 'lists',
    id: 'l1',
    values: rowOf(values),
    base: base && rowOf(base),
    metadata: undefined,
  };
}

export function rowOf(values: Values): RowValues {
  return new Map(Object.entries(values));
}

export interface Attempt {
  readonly rules?: Partial<TableRules>;
  readonly table?: RuleTable;
  readonly stored?: Values | undefined;
  readonly write: RowWrite;
  readonly caller?: Caller;
  readonly transaction?: WriteTransaction;
}

/** What became of a write: its values, `nothing`, or a refusal. */
export type Outcome = Values | 'nothing' | { readonly refused: string; readonly message: string };

/** Runs a write through compiled rules, as the pipeline does. */
export async function attempt({ rules, stored, caller = ANN, ...rest }: Attempt): Promise<Outcome> {
  const own = rest.table ?? LISTS;
  const compiled = tableSteps(
    new Map([[own.name, { ...FREE, ...rules }]]),
    new Map([[own.name, own]]),
    WORLD,
  );
  const [problem] = compiled.problems;
  if (problem !== undefined) throw new Error(problem.message);
  const bundle = compiled.tables.get(own.name);
  if (bundle === undefined) throw new Error('no rules');
  const row =
    stored && bundle.needsStored(rest.write.op)
      ? rowOf({ id: rest.write.id, ...stored })
      : undefined;
  try {
    const result = await runSteps(
      bundle.steps,
      rest.write,
      row,
      caller,
      rest.transaction ?? NO_DATABASE,
    );
    if (result === undefined) return 'nothing';
    const values = Object.fromEntries(result.values);
    return result.conflicts === undefined
      ? values
      : { ...values, conflicts: result.conflicts.join() };
  } catch (error) {
    if (!(error instanceof Rejection)) throw error;
    return { refused: error.reason ?? error.code, message: error.message };
  }
}

async function runSteps(
  steps: readonly TransactionStep[],
  first: RowWrite,
  stored: RowValues | undefined,
  caller: Caller,
  transaction: WriteTransaction,
): Promise<RowWrite | undefined> {
  let current: RowWrite | undefined = first;
  for (const step of steps) {
    if (current === undefined) return undefined;
    current = await step(current, stored, caller, transaction);
  }
  return current;
}

/** The code of the refusal, or what is written as JSON. */
export async function refusal(attempted: Attempt): Promise<string> {
  const outcome = await attempt(attempted);
  return typeof outcome === 'object' && 'refused' in outcome
    ? String(outcome.refused)
    : JSON.stringify(outcome, (_, value: unknown) =>
        typeof value === 'bigint' ? Number(value) : value,
      );
}

/** What is written; a refusal fails the test. */
export async function accepted(attempted: Attempt): Promise<Values | 'nothing'> {
  const outcome = await attempt(attempted);
  if (typeof outcome === 'object' && 'refused' in outcome) throw new Error(String(outcome.message));
  return outcome;
}
