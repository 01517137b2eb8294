import { compileSyncConfig } from '@sluice/sync-config';
import type { SeededRandom } from '@sluice/testing';
import { stringify } from 'yaml';
import {
  combine,
  randomCondition,
  randomJoin,
  randomSelect,
  type Condition,
  type ConditionContext,
  type Request,
} from './condition.ts';
import { clientColumns, type RandomTable } from './random-schema.ts';

/** A query of a stream, and the plain SELECT that it stands for. */
interface RandomQuery {
  /** The client's table; every query has one of its own. */
  readonly clientTable: string;
  readonly ours: string;
  readonly theirs: (request: Request) => string;
}

export interface RandomStream {
  readonly name: string;
  readonly isDefault: boolean;
  readonly priority: number;
  readonly queries: readonly RandomQuery[];
}

export interface RandomConfig {
  readonly yaml: string;
  readonly streams: readonly RandomStream[];
  /** Queries that were drawn and then refused by the compiler, by diagnostic code. */
  readonly refused: ReadonlyMap<string, number>;
}

const STREAMS = 5;

/** A config of random streams. What the language refuses is drawn again, and counted. */
export function randomConfig(
  random: SeededRandom,
  tables: readonly RandomTable[],
  edition: 3 | 4,
): RandomConfig {
  let aliases = 0;
  const base = { random, tables, edition, alias: () => `a${(aliases += 1)}` };
  const refused = new Map<string, number>();
  const ctes: { name: string; select: Condition }[] = [];
  while (ctes.length < 2) {
    const select = randomSelect({ ...base, ctes: [] }, 2);
    const cte = { name: `c${ctes.length}`, select };
    if (isAccepted(edition, [cte], `SELECT * FROM t0 WHERE x0 IN ${cte.name}`, refused)) {
      ctes.push(cte);
    }
  }
  const context: ConditionContext = { ...base, ctes };
  const streams = Array.from({ length: STREAMS }, (_, i): RandomStream => {
    const queries: RandomQuery[] = [];
    const count = 1 + random.int(2);
    while (queries.length < count) {
      const query = randomQuery(context, `s${i}q${queries.length}`);
      if (isAccepted(edition, ctes, query.ours, refused)) queries.push(query);
    }
    return {
      name: `s${i}`,
      isDefault: random.chance(0.6),
      priority: random.int(4),
      queries,
    };
  });
  return { yaml: configText(edition, ctes, streams), streams, refused };
}

function randomQuery(context: ConditionContext, clientTable: string): RandomQuery {
  const { random, tables } = context;
  const place = { table: random.pick(tables), alias: clientTable };
  const join = random.chance(0.3) ? randomJoin(context, place) : undefined;
  const condition = randomCondition(context, place, 3);
  const all = join === undefined ? condition : combine('AND', condition, join.condition);
  const from = `FROM ${place.table.name} AS "${clientTable}"${join?.text ?? ''}`;
  const columns = clientColumns(place.table, clientTable);
  return {
    clientTable,
    ours: `SELECT ${clientTable}.* ${from} WHERE ${all.ours}`,
    theirs: (request) => `SELECT ${columns} ${from} WHERE ${all.theirs(request)}`,
  };
}

function isAccepted(
  edition: number,
  ctes: ConditionContext['ctes'],
  query: string,
  refused: Map<string, number>,
): boolean {
  const stream = { name: 's', isDefault: true, priority: 3, queries: [{ ours: query }] };
  const yaml = configText(edition, ctes, [stream]);
  const { diagnostics } = compileSyncConfig(yaml, { defaultSchema: 'public' });
  const error = diagnostics.find(({ severity }) => severity === 'error');
  if (error !== undefined) refused.set(error.code, (refused.get(error.code) ?? 0) + 1);
  return error === undefined;
}

function configText(
  edition: number,
  ctes: ConditionContext['ctes'],
  streams: readonly (Omit<RandomStream, 'queries'> & {
    readonly queries: readonly Pick<RandomQuery, 'ours'>[];
  })[],
): string {
  return stringify({
    config: { edition },
    with: Object.fromEntries(ctes.map(({ name, select }) => [name, select.ours])),
    streams: Object.fromEntries(
      streams.map(({ name, isDefault, priority, queries }) => [
        name,
        { auto_subscribe: isDefault, priority, queries: queries.map(({ ours }) => ours) },
      ]),
    ),
  });
}
