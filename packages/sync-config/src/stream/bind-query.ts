import { OPAQUE } from '../advice/advised-query.ts';
import type { CompileContext } from '../compile-context.ts';
import type { Fix, Reporter, Span } from '../diagnostics.ts';
import { hasCollate } from '../expr/affinity.ts';
import { comparisonsOf } from '../expr/comparisons.ts';
import type { BindContext } from '../expr/bind-context.ts';
import { bindExpression, bindScalarIn } from '../expr/bind.ts';
import { constant, operatorCall, type Expression } from '../expr/expression.ts';
import { refuseExists } from '../expr/refused-forms.ts';
import type { Expansion } from '../plan/queries.ts';
import { bindRequestCall, STREAM_REQUEST_FUNCTIONS } from '../expr/request-functions.ts';
import { containsExpression } from '../sql/expression-children.ts';
import {
  warnTableCapitals,
  warnUnquotedCapitals,
  type ParsedSqlText,
} from '../sql/parse-sql-text.ts';
import type {
  CallSyntax,
  ColumnSyntax,
  ExprSyntax,
  Identifier,
  InSyntax,
  SelectSyntax,
  SourceSyntax,
} from '../sql/syntax.ts';
import { columnType, resolveTable } from '../tables/table-reference.ts';
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
    // A text or comment that is not closed may have swallowed FROM.
    if (select.from.length === 0 && !this.#parsed.isComplete) scope.declareBroken();
    const conditions: Formula[] = [];
    const sources = select.from.flatMap((source) => this.#declare(source, scope, conditions));
    for (const condition of select.conditions) {
      conditions.push(this.#condition(condition, scope, false));
    }
    this.#advise(select, scope);
    return {
      scope,
      sources,
      condition: { kind: 'and', parts: conditions },
      bind: (syntax) => this.#bind(syntax, scope),
    };
  }

  /** Shows the query to whoever gives advice, as expressions with conditions as they are written. */
  #advise(select: SelectSyntax, scope: Scope): void {
    const { advise, edition, fixedJsonExtract } = this.#context;
    if (advise === undefined) return;
    const context = this.#bindContext(scope);
    const [first, ...rest] = select.conditions.map((syntax) => this.#asValue(syntax, scope));
    advise({
      report: this.#report,
      sql: this.#parsed.sql,
      select,
      edition,
      fixedJsonExtract,
      condition: first && rest.reduce((all, next) => operatorCall('and', [all, next], next), first),
      values: select.columns.flatMap((column) =>
        column.kind === 'expr' ? [bindExpression(column.expr, context)] : [],
      ),
      columnType: (source, column) => {
        const found = this.sources.get(source);
        return found?.kind === 'table' ? columnType(found.table, column) : undefined;
      },
      isElement: (source) => this.sources.get(source)?.kind === 'each',
    });
  }

  /** A condition as a value; what is only a condition, such as IN (SELECT ...), is opaque. */
  #asValue(syntax: ExprSyntax, scope: Scope): Expression {
    const of = (part: ExprSyntax) => this.#asValue(part, scope);
    if (syntax.kind === 'unary' && syntax.operator === 'not') {
      return operatorCall('not', [of(syntax.operand)], syntax);
    }
    if (syntax.kind === 'binary' && (syntax.operator === 'and' || syntax.operator === 'or')) {
      return operatorCall(syntax.operator, [of(syntax.left), of(syntax.right)], syntax);
    }
    const isOverlap = syntax.kind === 'binary' && syntax.operator === '&&';
    const isMatch =
      syntax.kind === 'in' &&
      (syntax.right.kind === 'select' || this.#cteOf(syntax.right) !== undefined);
    if (isOverlap || syntax.kind === 'exists') return operatorCall(OPAQUE, [], syntax);
    const context = this.#bindContext(scope);
    if (!isMatch) return bindExpression(syntax, context);
    return operatorCall(OPAQUE, [bindExpression(syntax.operand, context)], syntax);
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
      const fix = 'Give each column one name';
      this.#report.error('SUBQUERY_COLUMNS', columnNames[0] ?? select, message, fix);
    }
    select.columns.forEach((column, i) => {
      if (column.kind === 'star') {
        this.#refuseStar(column);
        return;
      }
      const name = columnNames?.[i]?.name ?? columnName(column);
      if (name === undefined) {
        const fix = addAlias(column, `column${i + 1}`);
        this.#report.error('ALIAS_REQUIRED', column, 'An expression needs a name', fix);
        return;
      }
      if (columns.has(name)) {
        const fix = 'Give one of them another name with AS';
        this.#report.error('DUPLICATE_NAME', column, `There are two columns named ${name}`, fix);
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
    const message = '* is not allowed in a subquery';
    this.#report.error('STAR_IN_SUBQUERY', column, message, 'Name the columns');
  }

  /** Puts a source into scope; gives the numbers of what always takes part because of it. */
  #declare(source: SourceSyntax, scope: Scope, conditions: Formula[]): readonly number[] {
    switch (source.kind) {
      case 'table':
        return this.#declareTable(source, scope, conditions);
      case 'select': {
        const { columns, bound } = this.bindDerived(source.select, source.columnNames, undefined);
        conditions.push(bound.condition);
        scope.declare(source.alias, { kind: 'derived', columns, isBroken: false });
        return bound.sources;
      }
      case 'broken':
        scope.declareBroken();
        return [];
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
      const { columns, bound } = cte.bind(this.sources, source.table);
      conditions.push(bound.condition);
      scope.declare(name, { kind: 'derived', columns, isBroken: cte.isBroken });
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
      reportTableFunction(call, this.#report);
      scope.declareBroken();
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
    const fix = 'Use values of one table only, or of the request only';
    this.#report.error('MIXED_EXPR', syntax, message, fix);
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
    if (syntax.kind === 'exists') {
      refuseExists(syntax, negated, this.#bindContext(scope));
      return ALWAYS;
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
      const fix = 'Keep a column that says the same, and compare that';
      this.#report.error('NEGATED_MATCH', syntax, message, fix);
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
      const fix = 'Keep a column that says the same, and compare that';
      this.#report.error('NEGATED_MATCH', syntax, 'NOT is not allowed around &&', fix);
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
      this.#report.error('SUBQUERY_COLUMNS', second ?? select, message, 'Select one column');
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
      if (cte.isBroken) return undefined;
      const { columns, bound } = cte.bind(this.sources, syntax);
      const [element, second] = columns.values();
      if (element !== undefined && second === undefined) {
        return { element: { ...element, start: syntax.start, end: syntax.end }, bound };
      }
      const message = `${name?.raw ?? ''} has ${columns.size} columns, and after IN there must be one`;
      const [first = 'column'] = columns.keys();
      const text = `(SELECT ${first} FROM ${name?.raw ?? ''})`;
      const { start, end } = syntax;
      const fix = { text: `Write ${text}`, edit: { start, end, text } };
      this.#report.error('SUBQUERY_COLUMNS', syntax, message, fix);
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
      isRowColumn: (expression) =>
        expression.kind === 'column' && this.sources.get(expression.source)?.kind === 'table',
      resolveCall: (call) =>
        bindRequestCall(call, self, STREAM_REQUEST_FUNCTIONS) ??
        bindTableFact(call, scope, this.#context.edition, this.#report),
    };
    return self;
  }
}

/** Functions that give rows elsewhere. */
function reportTableFunction(call: CallSyntax, report: Reporter): void {
  const [name] = call.name;
  const { start, end } = name ?? call;
  const isSame = name !== undefined && JSON_EACH_ELSEWHERE.has(name.name);
  const fix = isSame
    ? { text: 'Write json_each', edit: { start, end, text: 'json_each' } }
    : 'Use json_each(value), a table or a subquery';
  report.error('UNKNOWN_FUNCTION', call, 'Only json_each(value) is allowed in FROM', fix);
}

const JSON_EACH_ELSEWHERE: ReadonlySet<string> = new Set([
  'unnest', 'jsonb_each', 'json_array_elements', 'jsonb_array_elements', 'json_tree',
  'jsonb_array_elements_text', 'json_array_elements_text',
]); // prettier-ignore

function term(expression: Expression): Formula {
  return { kind: 'term', expression };
}

/** How to name an expression; the name is a proposal. */
export function addAlias({ end }: Span, name: string): Fix {
  return { text: 'Add AS name', edit: { start: end, end, text: ` AS ${name}` } };
}

/** The name that a column has without an alias list; undefined for an unnamed expression. */
export function columnName(column: Extract<ColumnSyntax, { kind: 'expr' }>): string | undefined {
  if (column.alias !== undefined) return column.alias.name;
  return column.expr.kind === 'name' ? column.expr.parts.at(-1)?.name : undefined;
}
