import { ConfigError } from '@sluice/base';
import type { WriteApiConfig } from '../config/write-api-config.ts';
import { runStatements } from '../postgres/statement-run.ts';
import { readTargetTables } from '../postgres/target-table.ts';
import {
  withConnection,
  type WriteConnection,
  type WriteDatabase,
} from '../postgres/write-database.ts';
import type { LiveRules } from './live-rules.ts';
import { formatProblem, type PolicyProblem } from './policy-problem.ts';
import type { Rule } from './rule.ts';
import { tableSteps } from './table-rules.ts';

/**
 * Checks the language of the rules, which needs no database.
 *
 * @throws ConfigError `CONFIG_WRITE_RULES` with all that is wrong.
 */
export function checkRuleTexts(config: WriteApiConfig): void {
  const world = { now: () => new Date(0), uuid: () => '' };
  const { problems } = tableSteps(config.tables ?? new Map(), undefined, world);
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return;
  const listing = errors.map(describeProblem).join('\n\n');
  throw new ConfigError('CONFIG_WRITE_RULES', `The rules of the write API are wrong\n\n${listing}`);
}

/** With the key of the configuration in place of a file. */
export function describeProblem(problem: PolicyProblem): string {
  return formatProblem(problem, ['write_api', ...problem.path].join('.'));
}

/**
 * Checks rules against the tables as they are, and lets the database look at those with subqueries
 * without running them.
 *
 * @throws the database's error when it cannot be asked.
 */
export async function checkLiveRules(
  database: WriteDatabase,
  config: WriteApiConfig,
  rules: LiveRules,
): Promise<readonly PolicyProblem[]> {
  const names = [...(config.tables?.keys() ?? [])];
  return withConnection(database, async (connection) => {
    const tables = await readTargetTables(connection, config.schema, names);
    const problems = [...rules.check(tables)];
    const asked = names.flatMap((name) => rules.policyOf(name)?.databaseRules ?? []);
    for (const rule of asked) problems.push(...(await tryRule(rule, connection)));
    return problems;
  });
}

async function tryRule(rule: Rule, connection: WriteConnection): Promise<readonly PolicyProblem[]> {
  if (rule.trial === undefined) return [];
  const { text, values } = rule.trial;
  try {
    await runStatements(connection, [{ text: `EXPLAIN ${text}`, values }]);
    return [];
  } catch (error) {
    if (!(error instanceof Error) || !('severity' in error)) throw error;
    const { path } = rule;
    const place = { text: rule.text, start: 0, end: rule.text.length };
    const message = `The database does not understand this: ${error.message}`;
    return [{ severity: 'error', code: 'RULE_SQL', message, path, ...place }];
  }
}
