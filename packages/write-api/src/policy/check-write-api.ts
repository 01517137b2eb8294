import { parse } from 'yaml';
import { writeApiConfig } from '../config/write-api-config.ts';
import { WRITE_API_SCHEMA } from '../config/write-api-schema.ts';
import type { PolicyProblem } from './policy-problem.ts';
import type { RuleTable } from './rule-table.ts';
import { tableSteps } from './table-rules.ts';
import { yamlPlaces } from './yaml-places.ts';

/**
 * Checks the rules in the section `write_api` of a service's configuration, for editors and the
 * command line. Only the rules: what is wrong with the form is for who reads the whole file, and a
 * section of a wrong form has no problems here.
 *
 * @param schema Undefined: names of tables and columns are not checked.
 */
export function checkWriteApiRules(
  yaml: string,
  schema: ReadonlyMap<string, RuleTable> | undefined,
): readonly PolicyProblem[] {
  const section = sectionOf(yaml);
  const parsed = WRITE_API_SCHEMA.safeParse(section);
  if (section === undefined || !parsed.success) return [];
  const { tables } = writeApiConfig(parsed.data);
  const findPlace = yamlPlaces(yaml, ['write_api']);
  const world = { now: () => new Date(0), uuid: () => '' };
  return tableSteps(tables ?? new Map(), schema, { ...world, findPlace }).problems;
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
