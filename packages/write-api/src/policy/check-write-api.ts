import type { TableSchema } from '@sluice/model';
import { parse } from 'yaml';
import { writeApiConfig } from '../config/write-api-config.ts';
import { WRITE_API_SCHEMA } from '../config/write-api-schema.ts';
import type { PolicyProblem } from './policy-problem.ts';
import { ruleTableOf } from './rule-table.ts';
import { tableSteps } from './table-rules.ts';
import { yamlPlaces } from './yaml-places.ts';

/**
 * Checks the rules in the section `write_api` of a service's configuration, for editors and the
 * command line. Only the rules: what is wrong with the form is for who reads the whole file, and a
 * section of a wrong form, or without rules, gives undefined.
 *
 * @param schema Undefined: names of tables and columns are not checked.
 */
export function checkWriteApiRules(
  yaml: string,
  schema: readonly TableSchema[] | undefined,
): { readonly problems: readonly PolicyProblem[]; readonly tableCount: number } | undefined {
  const section = sectionOf(yaml);
  const parsed = WRITE_API_SCHEMA.safeParse(section);
  if (section === undefined || !parsed.success) return undefined;
  const config = writeApiConfig(parsed.data);
  if (config.tables === undefined) return undefined;
  const findPlace = yamlPlaces(yaml, ['write_api']);
  const world = { now: () => new Date(0), uuid: () => '' };
  const tables = schema?.filter((table) => table.schema === config.schema);
  const known = tables && new Map(tables.map((table) => [table.name, ruleTableOf(table)]));
  const { problems } = tableSteps(config.tables, known, { ...world, findPlace });
  return { problems, tableCount: config.tables.size };
}

function sectionOf(yaml: string): unknown {
  try {
    const root: unknown = parse(yaml, { logLevel: 'silent', merge: true });
    return typeof root === 'object' && root !== null && 'write_api' in root
      ? root.write_api
      : undefined;
  } catch {
    // Whoever reads the configuration says what is wrong with its YAML.
    return undefined;
  }
}
