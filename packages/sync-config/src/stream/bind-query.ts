import type { CompileContext } from '../compile-context.ts';
import type { Reporter } from '../diagnostics.ts';
import { hasCollate } from '../expr/affinity.ts';
import { comparisonsOf } from '../expr/comparisons.ts';
import { bindExpression, bindScalarIn, type BindContext } from '../expr/bind.ts';
import { constant, operatorCall, type Expression } from '../expr/expression.ts';
import type { Expansion } from '../plan/queries.ts';
import { bindRequestCall, STREAM_REQUEST_FUNCTIONS } from '../expr/request-functions.ts';
import { containsExpression } from '../sql/expression-children.ts';
import {
  warnTableCapitals,
  warnUnquotedCapitals,
  type ParsedSqlText,
} from '../sql/parse-sql-text.ts';
import type {
  ColumnSyntax,
  ExprSyntax,
  Identifier,
  InSyntax,
  SelectSyntax,
  SourceSyntax,
} from '../sql/syntax.ts';
import { resolveTable } from '../tables/table-reference.ts';
import { bindList, checkListOfOne } from './bind-list.ts';
import type { BoundSelect, Cte, CteFinder, DerivedSelect } from './bound-select.ts';
import { ALWAYS, type Formula } from './formula.ts';
import { refuseElementsIn } from './refuse-elements-in.ts';
import { Scope } from './scope.ts';
import { SourceList } from './source.ts';
import { bindTableFact } from './table-facts.ts';

/** Resolves the names of one query of a stream. Source: spec/sync-config.md 10.1, 10.3. */
export class QueryBinder {
  readonly sources: SourceList;
  readonly #parsed: ParsedSqlText;
  readonly #report: Reporter;
  readonly #context: CompileContext;
  readonly #ctes: CteFinder;

  get #isAlpha(): boolean {
    return this.#context.edition < 3;
  }

  constructor(
    parsed: ParsedSqlText,
    context: CompileContext,
    ctes: CteFinder,
    sources = new SourceList(),
  ) {
    this.#parsed = parsed;
    this.#report = parsed.report;
    this.#context = context;
    this.#ctes = ctes;
    this.sources = sources;
  }

  bindSelect(select: SelectSyntax, parent: Scope | undefined): BoundSelect {
    const scope = new Scope(parent, this.#report);
    const conditions: Formula[] = [];
    const sources = select.from.flatMap((source) => this.#declare(source, scope, conditions));
    for (const condition of select.conditions) {
      conditions.push(this.#condition(condition, scope, false));
    }
    return {
      scope,
      sources,
      condition: { kind: 'and', parts: conditions },
      bind: (syntax) => this.#bind(syntax, scope),
    };
  }

  /** The named columns of a subquery or CTE. */
  bindDerived(
    select: SelectSyntax,
    columnNames: readonly Identifier[] | undefined,
    parent: Scope | undefined,
  ): DerivedSelect {
    const bound = this.bindSelect(select, parent);
    const columns = new Map<string, Expression>();
    if (columnNames !== undefined && columnNames.length !== select.columns.length) {
      const message = `The list has ${columnNames.length} names for ${select.columns.length} columns`;
      this.#report.error('SUBQUERY_COLUMNS', columnNames[0] ?? select, message);
    }
    select.columns.forEach((column, i) => {
      if (column.kind === 'star') {
        this.#refuseStar(column);
        return;
      }
      const name = columnNames?.[i]?.name ?? columnName(column);
      if (name === undefined) {
        this.#report.error('ALIAS_REQUIRED', column, 'An expression needs a name', 'Add AS name');
        return;
      }
      if (columns.has(name)) {
        this.#report.error('DUPLICATE_NAME', column, `There are two columns named ${name}`);
      }
      refuseElementsIn(column.expr, this.#report);
      columns.set(name, this.#derivedColumn(bound.bind(column.expr), column));
    });
    return { columns, bound };
  }

  #derivedColumn(value: Expression, column: ColumnSyntax): Expression {
    if (hasCollate(value)) {
      const message = 'COLLATE is not supported in the columns of a subquery';
      this.#report.error('UNSUPPORTED_OPERATOR', column, message, 'Write it where it compares');
    }
    return comparisonsOf(this.#context.dialect).column(value);
  }

  #refuseStar(column: ColumnSyntax): void {
    this.#report.error(
      'STAR_IN_SUBQUERY',
      column,
      '* is not allowed in a subquery',
      'Name the columns',
    );
  }

  /** Puts a source into scope; gives the numbers of what always takes part because of it. */
  #declare(source: SourceSyntax, scope: Scope, conditions: Formula[]): readonly number[] {
    switch (source.kind) {
      case 'table':
        return this.#declareTable(source, scope, conditions);
      case 'select': {
        const { columns, bound } = this.bindDerived(source.select, source.columnNames, undefined);
        conditions.push(bound.condition);
        scope.declare(source.alias, { kind: 'derived', columns });
        return bound.sources;
      }
      case 'function':
        return this.#declareEach(source, scope);
    }
  }

  #declareTable(
    source: Extract<SourceSyntax, { kind: 'table' }>,
    scope: Scope,
    conditions: Formula[],
  ): readonly number[] {
    const name = source.alias ?? source.table;
    const cte = source.schema === undefined ? this.#findCte(source.table) : undefined;
    if (cte !== undefined) {
      const { columns, bound } = cte.bind(this.sources);
      conditions.push(bound.condition);
      scope.declare(name, { kind: 'derived', columns });
      return bound.sources;
    }
    const { edition } = this.#context;
    warnTableCapitals(source, this.#report, edition);
    const table = resolveTable(source, { ...this.#context, report: this.#report });
    const id = this.sources.addTable(table, source.alias);
    scope.declare(name, {
      kind: 'table',
      source: id,
      table,
      hasAlias: source.alias !== undefined,
      hasSuffixColumn: edition < 3,
    });
    return [id];
  }

  #declareEach(
    source: Extract<SourceSyntax, { kind: 'function' }>,
    scope: Scope,
  ): readonly number[] {
    const { call } = source;
    const [input] = call.args;
    const name = call.name[0];
    if (name?.name !== 'json_each' || input === undefined || call.args.length !== 1) {
      const message = 'Only json_each(value) is allowed in FROM';
      this.#report.error('UNKNOWN_FUNCTION', call, message);
      return [];
    }
    const bound = bindExpression(input, this.#bindContext(scope));
    const id = this.#addEach(bound, input, 'each');
    scope.declare(source.alias ?? name, { kind: 'each', source: id });
    return [id];
  }

  #addEach(input: Expression, syntax: ExprSyntax, mode: Expansion['mode']): number {
    const id = this.sources.addEach(input, mode);
    if (id !== undefined) return id;
    const message = 'json_each and IN can take one table or the request apart, not a mix of them';
    this.#report.error('MIXED_EXPR', syntax, message);
    return this.sources.addEach(constant(null, syntax), mode) ?? 0;
  }

  #condition(syntax: ExprSyntax, scope: Scope, negated: boolean): Formula {
    if (syntax.kind === 'unary' && syntax.operator === 'not') {
      return this.#condition(syntax.operand, scope, !negated);
    }
    if (syntax.kind === 'binary' && (syntax.operator === 'and' || syntax.operator === 'or')) {
      const parts = [syntax.left, syntax.right].map((s) => this.#condition(s, scope, negated));
      const isAnd = (syntax.operator === 'and') !== negated;
      return { kind: isAnd ? 'and' : 'or', parts };
    }
    if (syntax.kind === 'in') return this.#in(syntax, scope, negated !== syntax.negated);
    if (syntax.kind === 'binary' && syntax.operator === '&&') {
      return this.#overlap(syntax, scope, negated);
    }
    const expression = this.#bind(syntax, scope);
    return term(negated ? operatorCall('not', [expression], syntax) : expression);
  }

  #in(syntax: InSyntax, scope: Scope, negated: boolean): Formula {
    const context = this.#bindContext(scope);
    const { right } = syntax;
    // NOT IN as written is not part of edition 2, whatever stands on its right.
    if (this.#isAlpha && syntax.negated && right.kind !== 'select') {
      return term(bindScalarIn(syntax, context));
    }
    const isScalarList = right.kind === 'array';
    if (right.kind === 'array' && this.#context.grammar.isSqlite) {
      checkListOfOne(right, (item) => this.#isCte(item), context);
      if (!negated) return bindList(syntax, right.items, this.sources, context);
    }
    const isSubquery = right.kind === 'select' || this.#isCte(right);
    if (isScalarList || (negated && !isSubquery)) {
      const isIn = bindScalarIn({ ...syntax, negated: false }, context);
      return term(negated ? operatorCall('not', [isIn], syntax) : isIn);
    }
    if (negated) {
      const message = 'NOT IN with a subquery is not supported';
      this.#report.error('NEGATED_MATCH', syntax, message);
      return ALWAYS;
    }
    const left = this.#bind(syntax.operand, scope);
    return this.#withElements(right, scope, syntax, left, (element) =>
      term(this.#equal(left, element, syntax)),
    );
  }

  #overlap(
    syntax: Extract<ExprSyntax, { kind: 'binary' }>,
    scope: Scope,
    negated: boolean,
  ): Formula {
    if (negated) {
      this.#report.error('NEGATED_MATCH', syntax, 'NOT is not allowed around &&');
      return ALWAYS;
    }
    return this.#withElements(syntax.left, scope, syntax.left, undefined, (a) =>
      this.#withElements(syntax.right, scope, syntax.right, undefined, (b) =>
        term(this.#equal(a, b, syntax)),
      ),
    );
  }

  /**
   * Brings in the elements of a subquery, CTE or JSON value, and demands `condition` of one.
   * When `left` and a JSON value concern one source only, the whole stays a filter of that source.
   */
  #withElements(
    syntax: ExprSyntax,
    scope: Scope,
    whole: ExprSyntax,
    left: Expression | undefined,
    condition: (element: Expression) => Formula,
  ): Formula {
    const cte = this.#cteOf(syntax);
    if (syntax.kind === 'select' || cte !== undefined) {
      const derived =
        syntax.kind === 'select' ? this.#subqueryElement(syntax.select, scope) : cte?.();
      if (derived === undefined) return ALWAYS;
      const parts = [derived.bound.condition, condition(derived.element)];
      return { kind: 'join', sources: derived.bound.sources, condition: { kind: 'and', parts } };
    }
    const input = bindExpression(syntax, this.#bindContext(scope));
    if (left !== undefined && this.#isOneSource(left, input)) {
      const name = this.#isAlpha ? 'in json' : 'in each';
      return term(comparisonsOf(this.#context.dialect).inElements(name, left, input, whole));
    }
    const id = this.#addEach(input, syntax, this.#isAlpha ? 'array' : 'each');
    const { start, end } = syntax;
    const element: Expression = { kind: 'column', source: id, column: 'value', start, end };
    return { kind: 'join', sources: [id], condition: condition(element) };
  }

  /** An expression in which no IN is a join. */
  #bind(syntax: ExprSyntax, scope: Scope): Expression {
    const isInCte = (part: ExprSyntax) => part.kind === 'in' && this.#isCte(part.right);
    if (containsExpression(syntax, isInCte)) {
      const message = 'IN on a CTE is only allowed as a condition of its own';
      this.#report.error('SCALAR_SUBQUERY', syntax, message);
      return constant(null, syntax);
    }
    return bindExpression(syntax, this.#bindContext(scope));
  }

  #equal(left: Expression, right: Expression, syntax: ExprSyntax): Expression {
    return comparisonsOf(this.#context.dialect).compare('=', left, right, syntax);
  }

  #isOneSource(a: Expression, b: Expression): boolean {
    return new Set([...this.sources.rootsOf(a), ...this.sources.rootsOf(b)]).size <= 1;
  }

  #subqueryElement(
    select: SelectSyntax,
    scope: Scope,
  ): { element: Expression; bound: BoundSelect } | undefined {
    // A subquery of edition 2 does not see the tables around it.
    const bound = this.bindSelect(select, this.#isAlpha ? undefined : scope);
    const [column, second] = select.columns;
    if (column?.kind === 'star') {
      this.#refuseStar(column);
      return undefined;
    }
    if (column === undefined || second !== undefined) {
      const message = 'A subquery after IN must have one column';
      this.#report.error('SUBQUERY_COLUMNS', second ?? select, message);
      return undefined;
    }
    const element = comparisonsOf(this.#context.dialect).column(bound.bind(column.expr));
    return { element, bound };
  }

  #findCte(name: Identifier): Cte | undefined {
    if (this.#ctes.isHidden(name.name)) {
      const message = `A CTE cannot refer to another CTE, and ${name.name} is one`;
      const fix = 'Repeat its query here, or put the schema in front if the table is meant';
      this.#report.error('UNKNOWN_TABLE', name, message, fix);
    }
    return this.#ctes.find(name.name);
  }

  #isCte(syntax: ExprSyntax): boolean {
    return this.#cteOf(syntax) !== undefined;
  }

  /** How to bring in the one column of a CTE that a bare name refers to. */
  #cteOf(
    syntax: ExprSyntax,
  ): (() => { element: Expression; bound: BoundSelect } | undefined) | undefined {
    const name = syntax.kind === 'name' && syntax.parts.length === 1 ? syntax.parts[0] : undefined;
    const cte = name && this.#findCte(name);
    if (cte === undefined) return undefined;
    return () => {
      const { columns, bound } = cte.bind(this.sources);
      const [element, second] = columns.values();
      if (element !== undefined && second === undefined) {
        return { element: { ...element, start: syntax.start, end: syntax.end }, bound };
      }
      const message = `${name?.name ?? ''} must have one column to stand after IN`;
      this.#report.error('SUBQUERY_COLUMNS', syntax, message);
      return undefined;
    };
  }

  #bindContext(scope: Scope): BindContext {
    const self: BindContext = {
      report: this.#report,
      sql: this.#parsed.sql,
      grammar: this.#context.grammar,
      dialect: this.#context.dialect,
      edition: this.#context.edition,
      specialFunctions: STREAM_REQUEST_FUNCTIONS,
      resolveName: (name) => {
        for (const part of name.parts) {
          warnUnquotedCapitals(part, this.#report, this.#context.edition);
        }
        return scope.resolve(name);
      },
      resolveCall: (call) =>
        bindRequestCall(call, self, STREAM_REQUEST_FUNCTIONS) ??
        bindTableFact(call, scope, this.#context.edition, this.#report),
    };
    return self;
  }
}

function term(expression: Expression): Formula {
  return { kind: 'term', expression };
}

/** The name that a column has without an alias list; undefined for an unnamed expression. */
export function columnName(column: Extract<ColumnSyntax, { kind: 'expr' }>): string | undefined {
  if (column.alias !== undefined) return column.alias.name;
  return column.expr.kind === 'name' ? column.expr.parts.at(-1)?.name : undefined;
}
