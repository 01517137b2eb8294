import { must } from '@sluice/base';
import type { SqliteValue } from '@sluice/model';
import { SeededRandom } from '@sluice/testing';
import { CATEGORIES } from './categories.ts';
import { derivedTable, TABLE, type FromClause } from './from-clause.ts';
import { Generator, type Category } from './generator.ts';
import { Oracle } from './oracle.ts';
import { COLUMNS, randomRow, type FuzzRow } from './rows.ts';
import { renderSql, smallerTrees, type Reader, type SqlTree } from './sql-tree.ts';
import { isAboutText, Subject, type Outcome } from './subject.ts';

export interface FuzzOptions {
  readonly seed: number;
  /** How many expressions; each is evaluated on `ROWS_EACH` rows. */
  readonly count: number;
  readonly edition: 3 | 4;
  readonly categories?: readonly Category[];
}

export interface FuzzReport {
  readonly seed: number;
  /** Expressions by category of their outermost operator. */
  readonly counts: ReadonlyMap<string, number>;
  readonly evaluations: number;
  /** Evaluations that both refuse at run time, e.g. malformed JSON. */
  readonly errors: number;
  /** Evaluations in which only one of the two came to an operand that both refuse. */
  readonly order: number;
  /** Evaluations left out: what we refuse knowingly, as text that is not UTF-8. */
  readonly leftOut: number;
  /** Expressions that SQLite cannot read: a mistake of the generator. */
  readonly unreadable: number;
  /** The first differences, each made as small as possible. */
  readonly differences: readonly Difference[];
}

export interface Difference {
  readonly category: string;
  readonly sql: string;
  readonly row: string;
  readonly ours: string;
  readonly sqlite: string;
}

const ROWS = 400;
const ROWS_EACH = 3;
const MAX_DIFFERENCES = 5;
const DEPTH = 3;
const EXPRESSIONS_PER_TABLE = 20;

/** Evaluates random expressions by our compiler and by SQLite, from the same text. */
export function fuzz(options: FuzzOptions): FuzzReport {
  const run = new FuzzRun(options);
  try {
    return run.report();
  } finally {
    run.close();
  }
}

class FuzzRun {
  readonly #options: FuzzOptions;
  readonly #random: SeededRandom;
  readonly #rows: readonly FuzzRow[];
  readonly #oracle: Oracle;
  readonly #subject: Subject;
  readonly #counts = new Map<string, number>();
  readonly #differences: Difference[] = [];
  #from: FromClause = TABLE;
  #evaluations = 0;
  #errors = 0;
  #order = 0;
  #leftOut = 0;
  #unreadable = 0;

  constructor(options: FuzzOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    this.#rows = Array.from({ length: ROWS }, () => randomRow(this.#random));
    this.#oracle = new Oracle(this.#rows);
    this.#subject = new Subject(options.edition);
  }

  report(): FuzzReport {
    const categories = this.#options.categories ?? CATEGORIES;
    const generator = new Generator(this.#random, this.#options.edition, categories, DEPTH);
    for (let made = 0; made < this.#options.count && this.#differences.length < MAX_DIFFERENCES;) {
      const category = this.#random.pick(categories);
      const expression = category.generate(generator);
      if (expression === undefined) continue;
      if (made % EXPRESSIONS_PER_TABLE === 0) this.#from = this.#nextTable(categories);
      made++;
      this.#counts.set(category.name, (this.#counts.get(category.name) ?? 0) + 1);
      const first = this.#random.int(ROWS - ROWS_EACH);
      if (this.#count(expression, first)) this.#addDifference(category.name, expression, first);
    }
    return {
      seed: this.#options.seed,
      counts: this.#counts,
      evaluations: this.#evaluations,
      errors: this.#errors,
      order: this.#order,
      leftOut: this.#leftOut,
      unreadable: this.#unreadable,
      differences: this.#differences,
    };
  }

  #nextTable(categories: readonly Category[]): FromClause {
    if (this.#random.chance(0.6)) return TABLE;
    const uncollated = categories.filter(({ name }) => name !== 'collate');
    const generator = new Generator(this.#random, this.#options.edition, uncollated, 1);
    return derivedTable(generator, uncollated);
  }

  close(): void {
    this.#oracle.close();
  }

  /** Whether the two differ on one of the rows. */
  #count(expression: SqlTree, first: number): boolean {
    const verdicts = this.#verdicts(expression, first);
    for (const verdict of verdicts) {
      this.#evaluations++;
      if (verdict === 'both fail') this.#errors++;
      if (verdict === 'order') this.#order++;
      if (verdict === 'left out') this.#leftOut++;
      if (verdict === 'unreadable') this.#unreadable++;
    }
    return verdicts.includes('different');
  }

  #verdicts(expression: SqlTree, first: number): Verdict[] {
    return this.#outcomes(expression, first).map(([ours, theirs], i) => {
      const verdict = judge(ours, theirs);
      if (verdict !== 'one fails') return verdict;
      // Which operands are looked at when one decides the result is left open by SQL.
      const parts = this.#subject.failingParts(
        this.#select(expression, 'ours'),
        this.#row(first + i),
      );
      if (parts.some(({ isLeftOut }) => isLeftOut)) return 'left out';
      const isOrder = parts.some(({ sql, isInTable }) =>
        this.#oracle.fails(sql, isInTable ? TABLE.sqlite : this.#from.sqlite, first + i + 1),
      );
      return isOrder ? 'order' : 'different';
    });
  }

  #outcomes(expression: SqlTree, first: number): [Outcome, Outcome][] {
    const theirs = this.#askSqlite(expression, first);
    const ours = this.#askUs(expression, first);
    return ours.map((outcome, i) => [outcome, theirs[i] ?? { kind: 'error', message: 'none' }]);
  }

  #askSqlite(expression: SqlTree, first: number): Outcome[] {
    try {
      const sql = this.#select(expression, 'sqlite');
      return this.#oracle.evaluate(sql, first + 1, ROWS_EACH);
    } catch (error) {
      return refused(error);
    }
  }

  #askUs(expression: SqlTree, first: number): Outcome[] {
    try {
      const sql = this.#select(expression, 'ours');
      return this.#subject.evaluate(sql, this.#rows.slice(first, first + ROWS_EACH));
    } catch (error) {
      return refused(error);
    }
  }

  #select(expression: SqlTree, reader: Reader): string {
    return `SELECT ${renderSql(expression, reader)} AS v FROM ${this.#from[reader]}`;
  }

  #row(index: number): FuzzRow {
    return must(this.#rows[index], 'a row of the run');
  }

  #addDifference(category: string, expression: SqlTree, first: number): void {
    const isDifferent = (tree: SqlTree) => this.#verdicts(tree, first).includes('different');
    const small = shrink(expression, isDifferent);
    const at = this.#verdicts(small, first).indexOf('different');
    const [ours, sqlite] = this.#outcomes(small, first)[at] ?? [];
    const row = this.#row(first + at);
    this.#differences.push({
      category,
      sql: this.#select(small, 'ours'),
      row: COLUMNS.map((name, i) => `${name}=${show(row[i] ?? null)}`).join(' '),
      ours: showOutcome(ours),
      sqlite: showOutcome(sqlite),
    });
  }
}

/** An expression that cannot be compiled fails on every row. */
function refused(error: unknown): Outcome[] {
  const message = `refused: ${error instanceof Error ? error.message : String(error)}`;
  return Array.from({ length: ROWS_EACH }, () => ({ kind: 'error', message }));
}

type Verdict =
  'same' | 'both fail' | 'one fails' | 'order' | 'left out' | 'unreadable' | 'different';

function judge(ours: Outcome, theirs: Outcome): Exclude<Verdict, 'order'> {
  if (isRefusal(theirs)) return 'unreadable';
  if (isRefusal(ours)) return 'different';
  if (ours.kind === 'value' && theirs.kind === 'value') {
    // Halves of surrogate pairs come out of JSON escapes; better-sqlite3 does not show them.
    if (typeof ours.value === 'string' && /\p{Surrogate}/u.test(ours.value)) return 'left out';
    return isSame(ours.value, theirs.value) ? 'same' : 'different';
  }
  if (ours.kind === 'error' && isAboutText(ours.message)) return 'left out';
  return ours.kind === theirs.kind ? 'both fail' : 'one fails';
}

function isRefusal(outcome: Outcome): boolean {
  return outcome.kind === 'error' && outcome.message.startsWith('refused');
}

/** The same storage class and the same bytes. */
function isSame(a: SqliteValue, b: SqliteValue): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return Object.is(a, b);
  if (a === null || b === null) return a === b;
  return Buffer.compare(a, b) === 0;
}

function shrink(expression: SqlTree, isDifferent: (tree: SqlTree) => boolean): SqlTree {
  let current = expression;
  for (let round = 0; round < 200; round++) {
    let smaller: SqlTree | undefined;
    for (const candidate of smallerTrees(current)) {
      if (isDifferent(candidate)) {
        smaller = candidate;
        break;
      }
    }
    if (smaller === undefined) return current;
    current = smaller;
  }
  return current;
}

function showOutcome(outcome: Outcome | undefined): string {
  if (outcome?.kind === 'value') return show(outcome.value);
  return `error: ${outcome?.message ?? 'none'}`;
}

function show(value: SqliteValue): string {
  if (value === null) return 'NULL';
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return `real ${Object.is(value, -0) ? '-0' : value}`;
  if (typeof value === 'string') return JSON.stringify(value);
  return `x'${Buffer.from(value).toString('hex')}'`;
}

/** A report as text, for people. */
export function formatReport(report: FuzzReport): string {
  const counts = [...report.counts].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  const lines = [
    `seed ${report.seed}: ${total} expressions, ${report.evaluations} evaluations, ` +
      `${report.errors} that both refuse, ${report.order} by order, ${report.leftOut} left out, ` +
      `${report.unreadable} that SQLite cannot read`,
    `  ${counts.map(([name, count]) => `${name} ${count}`).join(', ')}`,
  ];
  for (const difference of report.differences) {
    lines.push(
      `DIFFERENCE (${difference.category}): ${difference.sql}`,
      `  row    ${difference.row}`,
      `  ours   ${difference.ours}`,
      `  SQLite ${difference.sqlite}`,
    );
  }
  return lines.join('\n');
}
