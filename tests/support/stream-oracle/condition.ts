import type { SeededRandom } from '@sluice/testing';
import { randomInt, randomText, type RandomTable } from './random-schema.ts';

/** Whose rows are asked for: what the request functions give. */
export interface Request {
  readonly auth: { readonly sub: string } & Values;
  readonly connection: Values;
  readonly subscription: Values;
}

interface Values {
  readonly team?: string;
  readonly level?: number;
  readonly ids?: readonly string[];
}

/** A condition as a stream states it, and what it stands for in PostgreSQL, for one request. */
export interface Condition {
  readonly ours: string;
  readonly theirs: (request: Request) => string;
}

/** A table under its alias, at one place of a query. */
export interface Place {
  readonly table: RandomTable;
  readonly alias: string;
}

export interface ConditionContext {
  readonly random: SeededRandom;
  readonly tables: readonly RandomTable[];
  readonly edition: 3 | 4;
  /** A new alias for each call. */
  readonly alias: () => string;
  /** Named subqueries of one text column. */
  readonly ctes: readonly { readonly name: string; readonly select: Condition }[];
}

/** AND, OR and NOT over what a stream may ask of a row of `place`. */
export function randomCondition(context: ConditionContext, place: Place, depth: number): Condition {
  const { random } = context;
  if (depth === 0 || random.chance(0.3)) return randomTerm(context, place);
  const a = randomCondition(context, place, depth - 1);
  const b = randomCondition(context, place, depth - 1);
  return combine(random.chance(0.6) ? 'AND' : 'OR', a, b);
}

export function combine(operator: 'AND' | 'OR', a: Condition, b: Condition): Condition {
  return {
    ours: `(${a.ours} ${operator} ${b.ours})`,
    theirs: (request) => `(${a.theirs(request)} ${operator} ${b.theirs(request)})`,
  };
}

function randomTerm(context: ConditionContext, place: Place): Condition {
  const roll = context.random.next();
  if (roll < 0.35) return rowFilter(context, place, 2);
  if (roll < 0.65) return requestMatch(context, place);
  if (roll < 0.9) return subqueryMatch(context, place, 2);
  return requestFilter(context);
}

const same = (text: string): Condition => ({ ours: text, theirs: () => text });

/** A condition on one row alone, negations included. */
function rowFilter(context: ConditionContext, place: Place, depth: number): Condition {
  const { random } = context;
  if (depth > 0 && random.chance(0.35)) {
    const a = rowFilter(context, place, depth - 1);
    if (random.chance(0.4)) return negation(context, a);
    return combine(random.chance(0.5) ? 'AND' : 'OR', a, rowFilter(context, place, depth - 1));
  }
  const text = column(random, place, 'text');
  const int = column(random, place, 'int');
  const flag = column(random, place, 'flag');
  switch (random.int(8)) {
    case 0:
      return same(`${text} = '${randomText(random)}'`);
    case 1:
      return same(`${int} > ${randomInt(random)}`);
    case 2:
      return same(`${text} IS NULL`);
    case 3:
      return same(`${int} BETWEEN ${randomInt(random)} AND ${randomInt(random)}`);
    case 4:
      return same(`${int} + 1 IS NOT NULL`);
    case 5: {
      const [a, b] = [randomText(random), randomText(random)];
      return {
        ours: `${text} IN ARRAY['${a}', '${b}']`,
        theirs: () => `${text} IN ('${a}', '${b}')`,
      };
    }
    case 6:
      return notEqual(context, text, `'${randomText(random)}'`);
    default:
      return same(flag);
  }
}

/** NULL is taken for false before it is negated, save in edition 4 (spec/sync-config.md 4.3). */
function negation({ edition }: ConditionContext, { ours, theirs }: Condition): Condition {
  if (edition === 4)
    return { ours: `NOT (${ours})`, theirs: (request) => `NOT (${theirs(request)})` };
  return { ours: `NOT (${ours})`, theirs: (request) => `((${theirs(request)}) IS NOT TRUE)` };
}

function notEqual({ edition }: ConditionContext, a: string, b: string): Condition {
  const theirs = edition === 4 ? `${a} <> ${b}` : `((${a} = ${b}) IS NOT TRUE)`;
  return { ours: `${a} != ${b}`, theirs: () => theirs };
}

function requestFilter({ random }: ConditionContext): Condition {
  const level = randomInt(random);
  return {
    ours: `auth.parameter('level') >= ${level}`,
    theirs: ({ auth }) => `(${intOf(auth.level)} >= ${level})`,
  };
}

/** A row and the request have something in common. */
function requestMatch({ random }: ConditionContext, place: Place): Condition {
  const text = column(random, place, 'text');
  const labels = column(random, place, 'labels');
  const from = random.pick(['auth', 'connection', 'subscription'] as const);
  switch (random.int(6)) {
    case 0:
      return { ours: `${text} = auth.user_id()`, theirs: ({ auth }) => `${text} = '${auth.sub}'` };
    case 1:
      return {
        ours: `${from}.parameter('team') = ${text}`,
        theirs: (request) => `${text} = ${textOf(request[from].team)}`,
      };
    case 2: {
      const int = column(random, place, 'int');
      return {
        ours: `${int} = ${from}.parameter('level')`,
        theirs: (request) => `${int} = ${intOf(request[from].level)}`,
      };
    }
    case 3:
      return {
        ours: `${text} IN ${from}.parameter('ids')`,
        theirs: (request) => `${text} = ANY (${arrayOf(request[from].ids)})`,
      };
    case 4:
      return {
        ours: `auth.user_id() IN ${labels}`,
        theirs: ({ auth }) => `jsonb_exists(${labels}, '${auth.sub}')`,
      };
    default:
      return {
        ours: `${labels} && ${from}.parameter('ids')`,
        theirs: (request) => `${labels} ?| ${arrayOf(request[from].ids)}`,
      };
  }
}

/** A row, or the user, is found in another table. */
function subqueryMatch(context: ConditionContext, place: Place, depth: number): Condition {
  const { random, ctes } = context;
  const text = column(random, place, 'text');
  if (ctes.length > 0 && random.chance(0.25)) {
    const { name, select } = random.pick(ctes);
    return {
      ours: `${text} IN ${name}`,
      theirs: (request) => `${text} IN (${select.theirs(request)})`,
    };
  }
  const select = randomSelect(context, depth);
  const roll = random.next();
  if (roll < 0.7) return inSelect(text, text, select);
  if (roll < 0.85) {
    return {
      ours: `auth.user_id() IN (${select.ours})`,
      theirs: (request) => `'${request.auth.sub}' IN (${select.theirs(request)})`,
    };
  }
  const labels = column(random, place, 'labels');
  return {
    ours: `${labels} && (${select.ours})`,
    theirs: (request) =>
      `EXISTS (SELECT 1 FROM jsonb_array_elements_text(${labels}) AS e
         WHERE e IN (${select.theirs(request)}))`,
  };
}

function inSelect(ours: string, theirs: string, select: Condition): Condition {
  return {
    ours: `${ours} IN (${select.ours})`,
    theirs: (request) => `${theirs} IN (${select.theirs(request)})`,
  };
}

/** `SELECT text FROM a table [JOIN another] WHERE ...`. */
export function randomSelect(context: ConditionContext, depth: number): Condition {
  const { random, tables } = context;
  const place = { table: random.pick(tables), alias: context.alias() };
  const output = column(random, place, 'text');
  const nested = depth > 1 && random.chance(0.4);
  let condition = random.chance(0.7) ? requestMatch(context, place) : rowFilter(context, place, 1);
  if (nested) {
    const inner = subqueryMatch(context, place, depth - 1);
    condition = combine(random.chance(0.7) ? 'AND' : 'OR', condition, inner);
  }
  const join = random.chance(0.25) ? randomJoin(context, place) : undefined;
  const from = `FROM ${place.table.name} AS ${place.alias}${join?.text ?? ''}`;
  const all = join === undefined ? condition : combine('AND', condition, join.condition);
  return {
    ours: `SELECT ${output} ${from} WHERE ${all.ours}`,
    theirs: (request) => `SELECT ${output} ${from} WHERE ${all.theirs(request)}`,
  };
}

export interface Join {
  readonly text: string;
  /** On the joined table. */
  readonly condition: Condition;
}

export function randomJoin(context: ConditionContext, to: Place): Join {
  const { random, tables } = context;
  const place = { table: random.pick(tables), alias: context.alias() };
  const on = `${column(random, to, 'text')} = ${column(random, place, 'text')}`;
  const text = ` JOIN ${place.table.name} AS ${place.alias} ON ${on}`;
  const condition = random.chance(0.7)
    ? requestMatch(context, place)
    : rowFilter(context, place, 1);
  return { text, condition };
}

function column(random: SeededRandom, { table, alias }: Place, type: string): string {
  const { name } = random.pick(table.columns.filter((candidate) => candidate.type === type));
  return `${alias}.${name}`;
}

function textOf(value: string | undefined): string {
  return value === undefined ? 'NULL::text' : `'${value}'`;
}

function intOf(value: number | undefined): string {
  return value === undefined ? 'NULL::int' : String(value);
}

function arrayOf(values: readonly string[] | undefined): string {
  if (values === undefined) return 'NULL::text[]';
  return `ARRAY[${values.map((value) => `'${value}'`).join(', ')}]::text[]`;
}
