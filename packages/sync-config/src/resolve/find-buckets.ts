import { PACED_ITEMS } from '@sluice/base';
import type { SqliteValue } from '@sluice/model';
import { splitKeyTexts } from '../values/key-text.ts';
import type { ResultBudget } from './budget.ts';
import type { Env, LinkedBucketQuery, LinkedComponent, LinkedStep } from './link-bucket-query.ts';

/**
 * Asks for the values under some keys; the driver answers for many searches at once. Asking for
 * `PAUSE` is a chance for the driver to give way to other work, and is answered with anything.
 */
export type Search<T> = Generator<readonly string[], T, ReadonlyMap<string, readonly string[]>>;

export const PAUSE: readonly string[] = [];

/** What a search did, for those who explain it: the places are indexes into the linked query. */
export type SearchEvent =
  | {
      readonly kind: 'step';
      readonly component: number;
      readonly step: number;
      readonly before: readonly Env[];
      readonly after: readonly Env[];
    }
  | { readonly kind: 'component'; readonly component: number; readonly relation: Relation }
  | { readonly kind: 'found'; readonly keys: ReadonlySet<string> };

/** Is told while a search runs; must not throw. */
export type ObserveSearch = (event: SearchEvent) => void;

/**
 * Finds the parameter tuples of a query for one request, each as the text between the brackets of
 * the bucket name. Yields the lookup keys it needs, stage by stage.
 *
 * @throws EvaluationFailure when the request's data cannot be evaluated.
 */
export function* findBuckets(
  query: LinkedBucketQuery,
  slots: readonly SqliteValue[],
  lookupPrefix: string,
  budget: ResultBudget,
  observe?: ObserveSearch,
): Search<ReadonlySet<string>> {
  if (!query.passes(slots)) return new Set();
  let joined = ALL;
  for (const [index, component] of query.components.entries()) {
    const spend: Spend = (count, key) => {
      if (key === undefined) budget.spend(query.definition, count);
      else budget.spendLookup(query.definition, key, count);
    };
    const onStep: OnStep | undefined =
      observe && ((step) => observe({ kind: 'step', component: index, ...step }));
    const relation = yield* resolveComponent(component, slots, lookupPrefix, spend, onStep);
    observe?.({ kind: 'component', component: index, relation });
    joined = joined === ALL ? relation : yield* join(joined, relation, spend);
    if (joined.tuples.length === 0) return new Set();
  }
  const keys = yield* keysOf(joined, query.parameterCount);
  observe?.({ kind: 'found', keys });
  return keys;
}

/** Tuples of key texts for some of a bucket's parameters. */
interface Relation {
  readonly positions: readonly number[];
  readonly tuples: readonly (readonly string[])[];
}

/** Says nothing about any parameter, so that joining it changes nothing. */
const ALL: Relation = { positions: [], tuples: [[]] };

function* keysOf(found: Relation, parameterCount: number): Search<ReadonlySet<string>> {
  const order = found.positions;
  const indexes = Array.from({ length: parameterCount }, (_, i) => order.indexOf(i));
  const isInOrder = indexes.length === order.length && indexes.every((index, i) => index === i);
  const keys = new Set<string>();
  for (const [at, tuple] of found.tuples.entries()) {
    if (isPauseDue(at)) yield PAUSE;
    keys.add((isInOrder ? tuple : indexes.map((index) => tuple[index])).join(','));
  }
  return keys;
}

/** There may be 100,000 results, so every loop over them lets others have their turn. */
function isPauseDue(at: number): boolean {
  return at % PACED_ITEMS === PACED_ITEMS - 1;
}

/** Charges results to the budget; those of a lookup under its key. */
type Spend = (count: number, key?: string) => void;

type OnStep = (step: Omit<Extract<SearchEvent, { kind: 'step' }>, 'kind' | 'component'>) => void;

function* resolveComponent(
  component: LinkedComponent,
  slots: readonly SqliteValue[],
  lookupPrefix: string,
  spend: Spend,
  onStep: OnStep | undefined,
): Search<Relation> {
  let envs: readonly Env[] = [{ slots, outputs: [] }];
  for (const [index, step] of component.steps.entries()) {
    const before = envs;
    envs =
      step.kind === 'lookup'
        ? yield* lookUp(step, envs, lookupPrefix, spend)
        : yield* expand(step, envs, spend);
    onStep?.({ step: index, before, after: envs });
    if (envs.length === 0) break;
  }
  return yield* project(component, envs);
}

function* expand(
  step: Exclude<LinkedStep, { kind: 'lookup' }>,
  envs: readonly Env[],
  spend: Spend,
): Search<readonly Env[]> {
  const expanded: Env[] = [];
  for (const [at, env] of envs.entries()) {
    if (isPauseDue(at)) yield PAUSE;
    if (step.kind === 'filter') {
      if (step.passes(env.slots)) expanded.push(env);
      continue;
    }
    const elements = step.elements(env.slots);
    spend(elements.length);
    for (const { value, key } of elements) {
      const slots = [...env.slots];
      slots[step.slot] = value;
      slots[step.slot + 1] = key;
      expanded.push({ slots, outputs: env.outputs });
    }
  }
  return expanded;
}

function* lookUp(
  step: Extract<LinkedStep, { kind: 'lookup' }>,
  envs: readonly Env[],
  lookupPrefix: string,
  spend: Spend,
): Search<readonly Env[]> {
  const envsByKey = new Map<string, Env[]>();
  for (const [at, env] of envs.entries()) {
    if (isPauseDue(at)) yield PAUSE;
    const texts = step.keys.map((key) => key(env));
    if (texts.includes(undefined)) continue;
    const key = `${lookupPrefix}${step.id}[${texts.join(',')}]`;
    const sharing = envsByKey.get(key);
    if (sharing === undefined) envsByKey.set(key, [env]);
    else sharing.push(env);
  }
  if (envsByKey.size === 0) return [];
  const found = yield [...envsByKey.keys()];
  const extended: Env[] = [];
  let done = 0;
  for (const [key, sharing] of envsByKey) {
    const distinct = new Set(found.get(key));
    spend(distinct.size, key);
    for (const values of distinct) {
      const outputs = splitKeyTexts(values);
      for (const env of sharing) {
        if (isPauseDue(done++)) yield PAUSE;
        extended.push({ slots: env.slots, outputs: [...env.outputs, outputs] });
      }
    }
  }
  return extended;
}

/** Keeps the results only, each tuple once; drops tuples in which two sources disagree. */
function* project(component: LinkedComponent, envs: readonly Env[]): Search<Relation> {
  const positions = [...new Set(component.results.map(({ position }) => position))];
  const tuples = new Map<string, readonly string[]>();
  for (const [at, env] of envs.entries()) {
    if (isPauseDue(at)) yield PAUSE;
    const tuple = projectEnv(component, positions, env);
    if (tuple !== undefined) tuples.set(tuple.join(','), tuple);
  }
  return { positions, tuples: [...tuples.values()] };
}

function projectEnv(
  component: LinkedComponent,
  positions: readonly number[],
  env: Env,
): readonly string[] | undefined {
  const tuple: string[] = [];
  for (const { position, key } of component.results) {
    const text = key(env);
    // The positions stand in the order in which the results name them first.
    const index = positions.indexOf(position);
    if (text === undefined) return undefined;
    if (index < tuple.length && tuple[index] !== text) return undefined;
    tuple[index] = text;
  }
  return tuple;
}

/** The natural join: tuples that agree on the positions which both sides have. */
function* join(left: Relation, right: Relation, spend: Spend): Search<Relation> {
  const shared = right.positions.filter((position) => left.positions.includes(position));
  const added = right.positions.filter((position) => !left.positions.includes(position));
  const leftShared = shared.map((position) => left.positions.indexOf(position));
  const rightShared = shared.map((position) => right.positions.indexOf(position));
  const rightAdded = added.map((position) => right.positions.indexOf(position));
  const pick = (tuple: readonly string[], indexes: readonly number[]) =>
    indexes.map((index) => tuple[index] ?? '');
  const rightByKey = yield* groupTuples(right.tuples, (tuple) =>
    pick(tuple, rightShared).join(','),
  );
  const tuples: (readonly string[])[] = [];
  let done = 0;
  for (const tuple of left.tuples) {
    if (isPauseDue(done++)) yield PAUSE;
    const partners = rightByKey.get(pick(tuple, leftShared).join(',')) ?? [];
    // Only a cross product can grow beyond what each side has been charged for.
    if (left.tuples.length > 1 && right.tuples.length > 1) spend(partners.length);
    for (const partner of partners) {
      if (isPauseDue(done++)) yield PAUSE;
      tuples.push([...tuple, ...pick(partner, rightAdded)]);
    }
  }
  return { positions: [...left.positions, ...added], tuples };
}

function* groupTuples(
  tuples: readonly (readonly string[])[],
  keyOf: (tuple: readonly string[]) => string,
): Search<Map<string, (readonly string[])[]>> {
  const groups = new Map<string, (readonly string[])[]>();
  for (const [at, tuple] of tuples.entries()) {
    if (isPauseDue(at)) yield PAUSE;
    const key = keyOf(tuple);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [tuple]);
    else group.push(tuple);
  }
  return groups;
}
