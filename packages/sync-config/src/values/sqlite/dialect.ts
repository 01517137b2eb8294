import type { Dialect, Operator } from '../dialect.ts';
import { createFunctions } from '../functions.ts';
import { JsonParser } from '../json-access.ts';
import { jsonElements } from '../json-elements.ts';
import { createOperators } from '../operators.ts';
import { createArithmeticOperators } from './arithmetic-operators.ts';
import { createChoiceFunctions, createCollatingFunctions } from './choice-functions.ts';
import { createComparisonOperators } from './comparison-operators.ts';
import { isTrue } from './conversions.ts';
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
  const ours = createOurFunctions();
  const all = new Map<string, Operator>([
    ...ours,
    ...createTextFunctions(),
    ...createNumberFunctions(),
    ...createChoiceFunctions(),
  ]);
  return {
    name: `sqlite/${options.functions}`,
    operators: createAllOperators(),
    functions: options.functions === 'all' ? all : functionsOfEdition3(all),
    refusedFunctions: REFUSED_FUNCTIONS,
    hasAffinity: true,
    isTrue,
    elements: (value, mode) => jsonElements(value, mode, true),
    requestText: (data) => JSON.stringify(data),
  };
}

function createAllOperators(): Map<string, Operator> {
  const json = createOperators({ json: { fixed: true }, notEqualsNegates: true }, new JsonParser());
  const elements = (value: Parameters<Dialect['elements']>[0], mode: 'each') =>
    jsonElements(value, mode, true);
  return new Map<string, Operator>([
    ...[...json].filter(([name]) => name === '->' || name === '->>' || name === 'parameter'),
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
