import type { TableSchema } from '@sluice/model';
import { checkWriteApiRules, type PolicyProblem } from '@sluice/write-api';
import type { CheckedFile } from './check-file.ts';

/** Checks the rules for writes in a service's configuration; undefined where it has none. */
export function checkRules(
  file: string,
  text: string,
  tables: readonly TableSchema[] | undefined,
): CheckedFile | undefined {
  const checked = checkWriteApiRules(text, tables);
  if (checked === undefined) return undefined;
  const { problems, tableCount } = checked;
  const count = (severity: 'error' | 'warning') =>
    problems.filter((problem) => problem.severity === severity).length;
  return {
    file,
    text,
    diagnostics: problems.map((problem) => placed(problem, text)),
    exactAdvice: [],
    errorCount: count('error'),
    warningCount: count('warning'),
    definitionCount: 0,
    tableCount: 0,
    eventNotes: [],
    ruleCount: tableCount,
  };
}

/** Of a value that an alias or a merge brought in, only the key is known. */
function placed(problem: PolicyProblem, text: string): PolicyProblem {
  if (problem.text === text) return problem;
  const message = `write_api.${problem.path.join('.')}: ${problem.message}`;
  return { ...problem, message, edit: undefined, start: 0, end: 0 };
}
