import type { SqliteValue } from '@sluice/model';
import type { Fix, Reporter, Span } from '../diagnostics.ts';
import type {
  BinarySyntax,
  ExprSyntax,
  Identifier,
  LikeSyntax,
  ListSyntax,
  SelectSyntax,
} from '../sql/syntax.ts';

/** Forms of SQL that are refused, each with what to write instead. */
export interface Refusals {
  readonly report: Reporter;
  readonly sql: string;
  readonly edition: number;
}

function textOf({ start, end }: Span, { sql }: Refusals): string {
  return sql.slice(start, end);
}

function rewrite({ start, end }: Span, text: string): Fix {
  return { text: `Write ${text}`, edit: { start, end, text } };
}

/** `('a', 'b')`: a list is written otherwise here. */
export function refuseList(list: ListSyntax, isAfterIn: boolean, context: Refusals): void {
  if (!isAfterIn) {
    const message = 'A list is only allowed on the right of IN';
    const fix = 'Compare the values one by one: a = x AND b = y';
    context.report.error('SQL_SYNTAX', list, message, fix);
    return;
  }
  const message = 'A list in parentheses is not supported after IN';
  context.report.error('SQL_SYNTAX', list, message, listFix(list, context));
}

function listFix(list: ListSyntax, context: Refusals): string | Fix {
  if (context.edition >= 3) {
    const items = list.items.map((item) => textOf(item, context)).join(', ');
    return rewrite(list, `ARRAY[${items}]`);
  }
  const values = list.items.map((item) =>
    item.kind === 'literal' ? jsonText(item.value) : undefined,
  );
  if (values.some((value) => value === undefined)) return `Use a JSON array such as '["a","b"]'`;
  return rewrite(list, `'[${values.join(',').replaceAll("'", "''")}]'`);
}

function jsonText(value: SqliteValue): string | undefined {
  if (typeof value === 'string') return JSON.stringify(value);
  return value === null || typeof value === 'object' ? undefined : String(value);
}

/** `x = ANY(array)` is `x IN array`; other uses have no counterpart. */
export function refuseQuantified(
  whole: BinarySyntax | undefined,
  part: Extract<ExprSyntax, { kind: 'quantified' }>,
  context: Refusals,
): void {
  const message = `${part.word.toUpperCase()} is not supported`;
  const isMembership = whole?.operator === '=' && part.word !== 'all' && whole.right === part;
  const fix = isMembership
    ? rewrite(
        { start: whole.operatorSpan.start, end: part.end },
        `IN ${withoutBrackets(part.operand, context)}`,
      )
    : undefined;
  context.report.error('UNSUPPORTED_OPERATOR', part, message, fix ?? 'Use IN');
}

/** A subquery keeps its brackets, an array does not need them. */
function withoutBrackets(operand: ExprSyntax, context: Refusals): string {
  const text = textOf(operand, context);
  return operand.kind === 'select' ? text : text.replace(/^\(\s*/, '').replace(/\s*\)$/, '');
}

/** `x = (SELECT ...)` */
export function refuseScalarSubquery(
  whole: BinarySyntax | undefined,
  select: Extract<ExprSyntax, { kind: 'select' }>,
  context: Refusals,
): void {
  const message = 'A subquery is only allowed on the right of IN in a condition';
  const canBeIn = context.edition >= 3 && whole?.operator === '=' && whole.right === select;
  const fix = canBeIn
    ? {
        text: `Write ${textOf(whole.left, context)} IN (SELECT ...)`,
        edit: { start: whole.operatorSpan.start, end: whole.operatorSpan.end, text: 'IN' },
      }
    : context.edition >= 3
      ? 'Use x IN (SELECT ...)'
      : 'Use a parameter query, or streams (edition 3)';
  context.report.error('SCALAR_SUBQUERY', select, message, fix);
}

/** `EXISTS (SELECT 1 FROM m WHERE m.a = t.b AND ...)` is `t.b IN (SELECT m.a FROM m WHERE ...)`. */
export function refuseExists(
  exists: Extract<ExprSyntax, { kind: 'exists' }>,
  isNegated: boolean,
  context: Refusals,
): void {
  const rewritten =
    isNegated || context.edition < 3 ? undefined : existsAsIn(exists.select, context);
  const fix =
    rewritten !== undefined
      ? rewrite(exists, rewritten)
      : isNegated
        ? 'Keep a column that says the same, and compare that'
        : context.edition < 3
          ? 'Use a parameter query, or streams (edition 3)'
          : 'Write x IN (SELECT y FROM ...)';
  context.report.error('UNSUPPORTED_OPERATOR', exists, 'EXISTS is not supported', fix);
}

function existsAsIn(select: SelectSyntax, context: Refusals): string | undefined {
  const [source, second] = select.from;
  if (source?.kind !== 'table' || second !== undefined) return undefined;
  const inner = (source.alias ?? source.table).name;
  const terms = select.conditions.flatMap(conjuncts);
  const index = terms.findIndex((term) => linkOf(term, inner) !== undefined);
  const term = terms[index];
  const link = term && linkOf(term, inner);
  if (link === undefined) return undefined;
  const rest = terms.filter((_, i) => i !== index).map((other) => textOf(other, context));
  const where = rest.length === 0 ? '' : ` WHERE ${rest.join(' AND ')}`;
  const from = textOf(source, context);
  return `${textOf(link.outer, context)} IN (SELECT ${textOf(link.inner, context)} FROM ${from}${where})`;
}

function conjuncts(syntax: ExprSyntax): readonly ExprSyntax[] {
  if (syntax.kind !== 'binary' || syntax.operator !== 'and') return [syntax];
  return [...conjuncts(syntax.left), ...conjuncts(syntax.right)];
}

/** An equality of a column of the inner table with one of another table. */
function linkOf(
  term: ExprSyntax,
  inner: string,
): { inner: ExprSyntax; outer: ExprSyntax } | undefined {
  if (term.kind !== 'binary' || term.operator !== '=') return undefined;
  const left = qualifierOf(term.left);
  const right = qualifierOf(term.right);
  if (left === undefined || right === undefined) return undefined;
  if (left.name === inner && right.name !== inner) return { inner: term.left, outer: term.right };
  if (right.name === inner && left.name !== inner) return { inner: term.right, outer: term.left };
  return undefined;
}

function qualifierOf(syntax: ExprSyntax): Identifier | undefined {
  return syntax.kind === 'name' ? syntax.parts.at(-2) : undefined;
}

/** LIKE with a constant pattern of a simple form can be said otherwise. */
export function refuseLike(like: LikeSyntax, context: Refusals): void {
  const message = `${like.operator.toUpperCase()} is not supported`;
  const text = likeRewrite(like, context);
  const fix =
    text === undefined ? 'Keep a column that says the same, and compare that' : rewrite(like, text);
  context.report.error('UNSUPPORTED_OPERATOR', like.operatorSpan, message, fix);
}

function likeRewrite(like: LikeSyntax, context: Refusals): string | undefined {
  const { pattern } = like;
  if (pattern.kind !== 'literal' || typeof pattern.value !== 'string') return undefined;
  const [, before = '', body = '', after = ''] = /^(%?)(.*?)(%?)$/s.exec(pattern.value) ?? [];
  if (body === '' || /[%_\\]/.test(body)) return undefined;
  const fold = (text: string) => (like.operator === 'ilike' ? `lower(${text})` : text);
  const operand = fold(textOf(like.operand, context));
  const wanted = fold(`'${body.replaceAll("'", "''")}'`);
  const equal = like.negated ? '!=' : '=';
  if (before === '' && after === '') return `${operand} ${equal} ${wanted}`;
  if (before !== '' && after !== '') {
    return `instr(${operand}, ${wanted}) ${like.negated ? '=' : '>'} 0`;
  }
  const part = before === '' ? `1, ${body.length}` : `-${body.length}`;
  return `substring(${operand}, ${part}) ${equal} ${wanted}`;
}

/** `DATE '2031-07-08'` is the text itself. */
export function refuseTypedText(
  syntax: Extract<ExprSyntax, { kind: 'typed text' }>,
  context: Refusals,
): void {
  const type = syntax.type.toUpperCase();
  const isTime = ['DATE', 'TIME', 'TIMESTAMP', 'TIMESTAMPTZ'].includes(type);
  const message = `${type} '...' is not supported`;
  const fix = isTime ? rewrite(syntax, `'${syntax.value}'`) : 'Write the value as a text or number';
  context.report.error('UNSUPPORTED_OPERATOR', syntax, message, fix);
}
