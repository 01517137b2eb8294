import type { Dialect, Operator } from '../dialect.ts';
import { createFunctions } from '../functions.ts';
import { JsonParser } from '../json-access.ts';
import { createArithmeticOperators } from './arithmetic-operators.ts';
import { createChoiceFunctions, createCollatingFunctions } from './choice-functions.ts';
import { createComparisonOperators } from './comparison-operators.ts';
import { isTrue } from './conversions.ts';
import { createSqliteDateFunctions } from './dates/date-functions.ts';
import { sqliteJsonElements } from './json/json-each.ts';
import { createSqliteJsonFunctions } from './json/json-functions.ts';
import { createSqliteJsonOperators } from './json/json-operators.ts';
import { SqliteJsonReader } from './json/json-reader.ts';
import { withJsonSubtype } from './json/json-subtype.ts';
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
  const ofEdition3 = createFunctions({ fixed: true }, new JsonParser(), 3);
  const functions = createAllFunctions(ofEdition3, reader);
  return {
    name: `sqlite/${options.functions}`,
    operators: createAllOperators(reader),
    functions:
      options.functions === 'all'
        ? functions
        : new Map([...functions].filter(([name]) => ofEdition3.has(name))),
    refusedFunctions: REFUSED_FUNCTIONS,
    hasAffinity: true,
    refusesClock: true,
    isTrue,
    elements: (value, mode) => sqliteJsonElements(value, mode, reader),
    requestText: (data) => JSON.stringify(data),
  };
}

/** What SQLite does not have (`base64`, `uuid_blob` ...) is that of edition 3. */
function createAllFunctions(
  ofEdition3: ReadonlyMap<string, Operator>,
  reader: SqliteJsonReader,
): Map<string, Operator> {
  return withJsonSubtype([
    ...ofEdition3,
    ...createTextFunctions(),
    ...createNumberFunctions(),
    ...createChoiceFunctions(),
    ...createSqliteJsonFunctions(reader),
    ...createSqliteDateFunctions(),
  ]);
}

function createAllOperators(reader: SqliteJsonReader): Map<string, Operator> {
  return withJsonSubtype([
    ...createLogicOperators(),
    ...createComparisonOperators(),
    ...createArithmeticOperators(),
    ...createTextOperators(),
    ...createMembershipOperators((value, mode) => sqliteJsonElements(value, mode, reader)),
    ...createSqliteJsonOperators(reader),
    ...createCollatingFunctions(),
  ]);
}
