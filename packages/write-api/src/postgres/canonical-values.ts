import type { SqliteValue } from '@sluice/model';
import { TypeCatalog } from '@sluice/source-postgres';
import type { RowValues } from '../pipeline/row-write.ts';
import type { WriteTransaction } from '../pipeline/table-steps.ts';
import { cellExpression, readCell } from './row-cells.ts';
import type { TargetColumn } from './target-table.ts';
import type { RuleTable } from '../policy/rule-table.ts';

/**
 * The values of `names` as the stored row would show them. A client chooses how it spells a value, and
 * PostgreSQL reads many spellings: `'yes'` for true, `' 5'` for 5, capitals in a UUID. A rule that saw
 * the spelling instead of the value could be passed by it.
 *
 * Nearly all values are canonical as they come; of the others the database is asked, all in one query.
 *
 * @throws the database's error for a value that is none of the type.
 */
export async function canonicalValues(
  values: RowValues,
  names: ReadonlySet<string>,
  table: RuleTable,
  transaction: WriteTransaction,
): Promise<RowValues> {
  const result = new Map(values);
  const asked: { readonly column: TargetColumn; readonly value: SqliteValue }[] = [];
  for (const [name, value] of values) {
    const column = table.columns.get(name);
    if (column === undefined || !names.has(name)) continue;
    const known = canonicalValue(column, value);
    if (known !== undefined) result.set(name, known);
    else asked.push({ column, value });
  }
  if (asked.length === 0) return result;
  const cells = asked.map(({ column, value }) => readCell(column, value));
  const expressions = cells.map(
    (cell, i) => `(${rounded(cell.column, cellExpression(cell, i + 1))})::text AS v${i}`,
  );
  const parameters = cells.map(({ text }) => text);
  const { rows } = await transaction.query(`SELECT ${expressions.join(', ')}`, parameters);
  for (const [i, { column }] of asked.entries()) {
    const text = rows[0]?.[`v${i}`];
    result.set(column.name, typeof text === 'string' ? valueOfText(column, text) : null);
  }
  return result;
}

const ROUNDED = new Set(['numeric', 'time', 'timetz', 'timestamp', 'timestamptz', 'interval']);

/** To the digits that are stored; texts are not cut, so that what is too long stays an error. */
function rounded({ baseType, storedType }: TargetColumn, expression: string): string {
  return ROUNDED.has(baseType) ? `(${expression})::${storedType}` : expression;
}

const INTEGER = new Set(['int2', 'int4', 'int8']);
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Undefined where only the database knows. */
function canonicalValue({ baseType }: TargetColumn, value: SqliteValue): SqliteValue | undefined {
  if (value === null) return null;
  if (baseType === 'text' || baseType === 'varchar') {
    return value instanceof Uint8Array ? undefined : String(value);
  }
  if (INTEGER.has(baseType)) return typeof value === 'bigint' ? value : undefined;
  if (baseType === 'bool') return value === 0n || value === 1n ? value : undefined;
  if (baseType === 'float8') return typeof value === 'number' ? value : undefined;
  if (baseType === 'uuid') return typeof value === 'string' && UUID.test(value) ? value : undefined;
  return undefined;
}

/** Has all types that PostgreSQL comes with; of others the base type says enough. */
const TYPES = new TypeCatalog();

/** From PostgreSQL's text to the value that the sync config sees, as `StoredRowReader` reads it. */
function valueOfText({ baseType, typeOid }: TargetColumn, text: string): SqliteValue {
  if (INTEGER.has(baseType)) return BigInt(text);
  if (baseType === 'bool') return text === 'true' ? 1n : 0n;
  if (baseType === 'float8' || baseType === 'float4') return Number(text);
  return TYPES.columnType(typeOid).decodeText(text);
}
