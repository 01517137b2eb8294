import type { TableSteps } from '../pipeline/table-steps.ts';
import type { AppFunctions } from './app-functions.ts';

type StepsOf = (table: string) => TableSteps | undefined;

/**
 * What writes of a table go through, with the app's hooks around it. A table without hooks goes
 * through exactly what it went through without functions.
 */
export function withHooks(stepsOf: StepsOf, functions: AppFunctions): StepsOf {
  return (table) => {
    const steps = stepsOf(table);
    const hooks = functions.tableHooks(table);
    if (hooks === undefined) return steps;
    const { before, after } = hooks;
    return {
      bundles: [...(before ? [before] : []), ...(steps?.bundles ?? [])],
      afterWrite: bothAfter(steps?.afterWrite, after),
    };
  };
}

function bothAfter(
  first: TableSteps['afterWrite'],
  second: TableSteps['afterWrite'],
): TableSteps['afterWrite'] {
  if (first === undefined || second === undefined) return first ?? second;
  return async (...args) => {
    await first(...args);
    await second(...args);
  };
}
