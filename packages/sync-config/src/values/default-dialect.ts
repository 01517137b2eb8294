import { isTrue } from './conversions.ts';
import type { Dialect } from './dialect.ts';
import { createFunctions } from './functions.ts';
import { JsonParser } from './json-access.ts';
import { formatPlainJson, jsonElements } from './json-elements.ts';
import { createOperators } from './operators.ts';

export interface DialectOptions {
  readonly edition: number;
  readonly fixedJsonExtract: boolean;
}

/** The semantics of editions 1 to 3 (spec/sync-config.md 4 to 6), which deviate from SQLite's. */
export function createDefaultDialect(options: DialectOptions): Dialect {
  const json = { fixed: options.fixedJsonExtract };
  const parser = new JsonParser();
  const isCompiled = options.edition >= 3;
  return {
    name: `default/${isCompiled ? 'compiled' : 'legacy'}/${json.fixed ? 'fixed' : 'split'}`,
    operators: createOperators({ json, notEqualsNegates: isCompiled }, parser),
    functions: createFunctions(json, parser, options.edition),
    refusedFunctions: new Map(),
    hasAffinity: false,
    refusesClock: false,
    isTrue,
    elements: (value, mode) => jsonElements(value, mode, json.fixed),
    requestText: formatPlainJson,
  };
}
