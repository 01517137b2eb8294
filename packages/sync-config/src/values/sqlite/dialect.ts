import type { Dialect, Operator } from '../dialect.ts';
import { createFunctions } from '../functions.ts';
import { JsonParser } from '../json-access.ts';
import { createArithmeticOperators } from './arithmetic-operators.ts';
import { createChoiceFunctions, createCollatingFunctions } from './choice-functions.ts';
import { createComparisonOperators } from './comparison-operators.ts';
import { isTrue } from './conversions.ts';
import { createSqliteDateFunctions } from './date-functions.ts';
import { sqliteJsonElements } from './json-each.ts';
import { createSqliteJsonFunctions } from './json-functions.ts';
import { createSqliteJsonOperators } from './json-operators.ts';
import { SqliteJsonReader } from './json-reader.ts';
import { withJsonSubtype } from './json-subtype.ts';
import { createLogicOperators } from './logic-operators.ts';
import { createMembershipOperators } from './membership-operators.ts';
import { createNumberFunctions } from './number-functions.ts';
import { REFUSED_FUNCTIONS } from './refused-functions.ts';
import { createTextFunctions } from './text-functions.ts';
import { createTextOperators } from './text-operators.ts';

export interface SqliteDialectOptions {
  /** `edition 3` for the option of that edition, which has fewer functions. */
  readonly functions: 'all' | 'edition 3';
}

/** The semantics of SQLite, byte for byte: edition 4, and an option of edition 3. */
export function createSqliteDialect(options: SqliteDialectOptions): Dialect {
  const reader = new SqliteJsonReader();
  const elements: Dialect['elements'] = (value, mode) => sqliteJsonElements(value, mode, reader);
  const all = withJsonSubtype([
    ...createOurFunctions(),
    ...createTextFunctions(),
    ...createNumberFunctions(),
    ...createChoiceFunctions(),
    ...createSqliteJsonFunctions(reader),
    ...createSqliteDateFunctions(),
  ]);
  return {
    name: `sqlite/${options.functions}`,
    operators: createAllOperators(reader, elements),
    functions: options.functions === 'all' ? all : functionsOfEdition3(all),
    refusedFunctions: REFUSED_FUNCTIONS,
    hasAffinity: true,
    isTrue,
    elements,
    requestText: (data) => JSON.stringify(data),
  };
}

function createAllOperators(
  reader: SqliteJsonReader,
  elements: Dialect['elements'],
): Map<string, Operator> {
  return withJsonSubtype([
    ...createSqliteJsonOperators(reader),
    ...createLogicOperators(),
    ...createComparisonOperators(),
    ...createArithmeticOperators(),
    ...createTextOperators(),
    ...createMembershipOperators(elements),
    ...createCollatingFunctions(),
  ]);
}

function createOurFunctions(): Map<string, Operator> {
  return createFunctions({ fixed: true }, new JsonParser(), 3);
}

/** The functions that edition 3 has, here with SQLite's meaning. */
function functionsOfEdition3(all: ReadonlyMap<string, Operator>): Map<string, Operator> {
  const names = createOurFunctions().keys();
  const chosen = [...all].filter(([name]) => new Set(names).has(name));
  return new Map(chosen);
}
