import { matchesPattern } from '@sluice/model';
import type { TableFacts } from '@sluice/source';
import type { ConcernedSessions } from '@sluice/sync';
import {
  compareDefinitions,
  type DefinitionInfo,
  type FilledPart,
  type SyncPlan,
} from '@sluice/sync-config';

/** What deploying a sync config would change. JSON as it is: the plan route answers with it. */
export interface DeployPlan {
  /** `SyncPlan.hash` of what was planned, to recognise it when it serves. */
  readonly hash: string;
  /** `first`: nothing is served yet; `nothing`: what serves means the same. */
  readonly kind: 'first' | 'nothing' | 'definitions' | 'everything';
  /** Options that change the values themselves, and so have everything replicated anew. */
  readonly changedOptions: readonly string[];
  /** In the order of the config, dropped ones last. */
  readonly definitions: readonly PlannedDefinition[];
  /** What is read to fill: each table once. */
  readonly tables: readonly PlannedTable[];
  /** Sum of `tables`; null when that of one of them is not known. */
  readonly rows: number | null;
  /** About how long that takes, from what was measured here before; null when nothing was. */
  readonly seconds: number | null;
  /** Clients that are connected; null when the service was not asked. */
  readonly clients: number | null;
  /** Of these, clients that would be refused, because what they ask with does not fit; null: unknown. */
  readonly refusedClients: number | null;
}

export interface PlannedDefinition {
  readonly name: string;
  /** `event`: the write checkpoints that rows make. */
  readonly kind: DefinitionInfo['kind'] | 'event';
  readonly change: 'kept' | 'added' | 'changed' | 'dropped';
  /** Whether its tables are read; a definition that was served before may still have its buckets. */
  readonly fills: boolean;
  /**
   * Connected clients that download it (added, changed), lose it (dropped) or keep it, among them
   * those of `undecidedClients`; null: unknown. Counted on a sample where there are many.
   */
  readonly clients: number | null;
  /** Clients that may turn out to have no bucket of it: rows that are not looked up decide. */
  readonly undecidedClients: number;
}

export interface PlannedTable {
  readonly schema: string;
  readonly name: string;
  /** About; null when not known. */
  readonly rows: number | null;
}

export interface DeployPlanInput {
  readonly wanted: SyncPlan;
  /** What clients are served by. */
  readonly serving: SyncPlan | undefined;
  /** Hashes of definitions whose buckets are kept up to date though they do not serve. */
  readonly alsoFilled: ReadonlySet<string>;
  /** The tables that `wanted` reads; undefined when the source could not be asked. */
  readonly tables: readonly TableFacts[] | undefined;
  /** What `wanted` and `serving` mean for the connected clients; undefined when nobody was asked. */
  readonly concerned:
    | { readonly wanted: ConcernedSessions; readonly serving: ConcernedSessions | undefined }
    | undefined;
  /** Measured while tables were read here; undefined when none was. */
  readonly rowsPerSecond: number | undefined;
}

/** Compares a sync config with what serves (design D7). */
export function planDeploy(input: DeployPlanInput): DeployPlan {
  const { wanted, serving } = input;
  const changedOptions = serving ? changedValueOptions(serving, wanted) : [];
  const kind = planKind(input, changedOptions);
  const definitions = plannedDefinitions(input, changedOptions.length > 0);
  const filled = new Set(definitions.filter(({ fills }) => fills).map(({ name }) => name));
  const tables = plannedTables(
    wanted.parts.filter(({ name }) => filled.has(name)),
    input.tables,
  );
  const rows = input.tables === undefined && filled.size > 0 ? null : sumOfRows(tables);
  const { rowsPerSecond } = input;
  const hasRate = rows !== null && rowsPerSecond !== undefined && rowsPerSecond > 0;
  return {
    hash: wanted.hash,
    kind,
    changedOptions,
    definitions,
    tables,
    rows,
    seconds: hasRate ? Math.ceil(rows / rowsPerSecond) : null,
    clients: input.concerned?.wanted.sessions ?? null,
    refusedClients: refusedClients(input.concerned?.wanted),
  };
}

function planKind(
  { wanted, serving }: DeployPlanInput,
  changedOptions: readonly string[],
): DeployPlan['kind'] {
  if (serving === undefined) return 'first';
  if (serving.hash === wanted.hash) return 'nothing';
  return changedOptions.length > 0 ? 'everything' : 'definitions';
}

/** The options on which the values of rows depend, by their names in YAML. */
function changedValueOptions(
  { options: before }: SyncPlan,
  { options: after }: SyncPlan,
): string[] {
  const changed: [string, boolean][] = [
    ['timestamps_iso8601', before.timestampsIso8601 !== after.timestampsIso8601],
    ['timestamp_max_precision', before.timestampMaxPrecision !== after.timestampMaxPrecision],
    ['custom_postgres_types', before.customPostgresTypes !== after.customPostgresTypes],
  ];
  return changed.filter(([, isChanged]) => isChanged).map(([name]) => name);
}

function plannedDefinitions(
  { wanted, serving, alsoFilled, concerned }: DeployPlanInput,
  everything: boolean,
): PlannedDefinition[] {
  const before = serving?.parts ?? [];
  const { kept, added, dropped } = compareDefinitions(before, wanted.parts);
  const kinds = new Map(
    [...(serving?.definitions ?? []), ...wanted.definitions].map(({ hash, kind }) => [hash, kind]),
  );
  const planned = (
    { name, hash }: FilledPart,
    change: PlannedDefinition['change'],
  ): PlannedDefinition => ({
    name,
    kind: kinds.get(hash) ?? 'event',
    change,
    fills: change !== 'dropped' && (everything || !(change === 'kept' || alsoFilled.has(hash))),
    ...clientsOf(change === 'dropped' ? concerned?.serving : concerned?.wanted, hash),
  });
  const inConfigOrder = wanted.parts.map((definition) => {
    if (kept.includes(definition)) return planned(definition, 'kept');
    return planned(definition, added.includes(definition) ? 'added' : 'changed');
  });
  return [...inConfigOrder, ...dropped.map((definition) => planned(definition, 'dropped'))];
}

function clientsOf(
  concerned: ConcernedSessions | undefined,
  hash: string,
): Pick<PlannedDefinition, 'clients' | 'undecidedClients'> {
  const use = concerned?.definitions.find((definition) => definition.hash === hash);
  if (concerned === undefined || use === undefined) return { clients: null, undecidedClients: 0 };
  return {
    clients: ofAll(use.withBuckets + use.undecided, concerned),
    undecidedClients: ofAll(use.undecided, concerned),
  };
}

function refusedClients(concerned: ConcernedSessions | undefined): number | null {
  return concerned === undefined ? null : ofAll(concerned.refused, concerned);
}

/** From a count in the sample to one of all. */
function ofAll(count: number, { asked, sessions }: ConcernedSessions): number {
  return asked === 0 ? 0 : Math.round((count * sessions) / asked);
}

function plannedTables(
  filled: readonly FilledPart[],
  facts: readonly TableFacts[] | undefined,
): PlannedTable[] {
  const patterns = filled.flatMap(({ tables }) => tables);
  return (facts ?? [])
    .filter((table) => patterns.some((pattern) => matchesPattern(pattern, table)))
    .map(({ schema, name, estimatedRows }) => ({ schema, name, rows: estimatedRows ?? null }));
}

function sumOfRows(tables: readonly PlannedTable[]): number | null {
  let sum = 0;
  for (const { rows } of tables) {
    if (rows === null) return null;
    sum += rows;
  }
  return sum;
}
