import type { Fix, Span } from '../diagnostics.ts';
import { childrenOf } from '../sql/expression-children.ts';
import type { ExprSyntax, SelectSyntax } from '../sql/syntax.ts';

/** How tightly operators bind in SQLite, loosest first. */
const SQLITE_LEVELS: Readonly<Record<string, number>> = {
  or: 1, and: 2, not: 3, '=': 4, '!=': 4, '<>': 4, is: 4, between: 4, in: 4, '<': 5, '<=': 5,
  '>': 5, '>=': 5, '+': 7, '-': 7, '*': 8, '/': 8, '||': 9, '->': 9, '->>': 9,
}; // prettier-ignore

export interface GroupedOtherwise {
  readonly span: Span;
  readonly message: string;
  readonly fix: Fix;
}

/** Operators without brackets that SQLite would group in another way (spec/sync-config.md 3.3). */
export function groupedOtherwise(select: SelectSyntax, sql: string): readonly GroupedOtherwise[] {
  const found: GroupedOtherwise[] = [];
  const columns = select.columns.flatMap((column) => (column.kind === 'expr' ? column.expr : []));
  for (const expression of [...columns, ...select.conditions]) walk(expression, sql, found);
  return found;
}

function walk(syntax: ExprSyntax, sql: string, found: GroupedOtherwise[]): void {
  const operands = childrenOf(syntax);
  const level = SQLITE_LEVELS[operatorOf(syntax) ?? ''];
  operands.forEach((operand, i) => {
    walk(operand, sql, found);
    const inner = SQLITE_LEVELS[operatorOf(operand) ?? ''];
    if (level === undefined || inner === undefined || isBracketed(operand)) return;
    // Left operands may bind alike, because operators associate to the left.
    const fits = i === 0 && syntax.kind !== 'unary' ? inner >= level : inner > level;
    const isPrefix = operand.kind === 'unary' || syntax.kind === 'unary';
    if (fits || isPrefix) return;
    const { start, end } = operand;
    const text = `(${sql.slice(start, end)})`;
    const message = `${sql.slice(syntax.start, syntax.end)} is grouped with ${text} now, and otherwise in edition 4`;
    found.push({
      span: { start, end },
      message,
      fix: { text: `Write ${text}`, edit: { start, end, text } },
    });
  });
}

function operatorOf(syntax: ExprSyntax): string | undefined {
  if (syntax.kind === 'binary') return syntax.operator;
  if (syntax.kind === 'unary') return syntax.operator === 'not' ? 'not' : undefined;
  return syntax.kind;
}

/** Brackets belong to the node that they surround, so it begins before its first operand. */
function isBracketed(syntax: ExprSyntax): boolean {
  const [first] = childrenOf(syntax);
  return first !== undefined && syntax.kind !== 'unary' && syntax.start < first.start;
}
