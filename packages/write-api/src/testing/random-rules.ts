import type { SeededRandom } from '@sluice/testing';
import type { RawTableRules } from '../config/write-api-schema.ts';

/** Rules whose text means the same in SQLite and in PostgreSQL, so that policies can be their oracle. */
export interface RandomRules {
  readonly insert: string;
  readonly update: string;
  /** Of the row after; undefined: the same as `update`. */
  readonly updateCheck: string | undefined;
  readonly delete: string;
  readonly required: readonly string[];
  readonly immutable: readonly string[];
  readonly validate: readonly string[];
  /** Column and value, which the server sets at every write. */
  readonly set: ReadonlyMap<string, string>;
}

const ATOMS: readonly string[] = [
  'owner = auth.user_id()',
  'owner = auth.user_id()',
  'notes.owner = auth.user_id()',
  'is_public',
  'not is_public',
  'is_public is not null',
  "status = 'open'",
  "status in ('open', 'done')",
  "status != 'done'",
  'status is null',
  'score > 2',
  'score between 1 and 4',
  'score + 1 <= 4',
  'score = 4',
  'score != 2',
  'is_public = true',
  "day != '2026-02-03'",
  'coalesce(is_public, false) = false',
  "price = '1.50'",
  "price != '20.00'",
  "day >= '2026-02-01'",
  'team = owner',
  "auth.parameter('role') = 'admin'",
  "auth.parameter('team') = team",
  "coalesce(team, 'a') = 'a'",
  'length(status) = 4',
  'true',
  'false',
  'null',
];

/** Rules that PostgreSQL evaluates. */
const SUBQUERIES: readonly string[] = [
  'exists (select 1 from members m where m.team = notes.team and m.user_id = auth.user_id())',
  'team in (select m.team from members m where m.user_id = auth.user_id())',
  'not exists (select 1 from members m where m.team = notes.team)',
  '(select count(*) from members m where m.user_id = owner) < 2',
  "exists (select 1 from members where user_id = auth.user_id() and team = auth.parameter('team'))",
];

export function randomRules(random: SeededRandom): RandomRules {
  const rule = () => randomRule(random, 2);
  return {
    insert: rule(),
    update: rule(),
    updateCheck: random.chance(0.3) ? rule() : undefined,
    delete: rule(),
    required: random.chance(0.3) ? ['status'] : [],
    immutable: random.chance(0.3) ? [random.pick(['owner', 'team', 'price', 'day'])] : [],
    validate: random.chance(0.4) ? [rule()] : [],
    set: random.chance(0.3) ? new Map([['score', '3']]) : new Map(),
  };
}

function randomRule(random: SeededRandom, depth: number): string {
  if (depth > 0 && random.chance(0.35)) {
    const word = random.pick(['and', 'or', 'or']);
    const [left, right] = [randomRule(random, depth - 1), randomRule(random, depth - 1)];
    return random.chance(0.2) ? `not (${left} ${word} ${right})` : `(${left} ${word} ${right})`;
  }
  return random.chance(0.2) ? random.pick(SUBQUERIES) : random.pick(ATOMS);
}

/** The rules as the config has them. */
export function configOf(rules: RandomRules): RawTableRules {
  return {
    insert: rules.insert,
    update:
      rules.updateCheck === undefined
        ? rules.update
        : { using: rules.update, check: rules.updateCheck },
    delete: rules.delete,
    required: [...rules.required],
    immutable: [...rules.immutable],
    validate: rules.validate.map((check) => ({ check, message: 'no' })),
    set: { always: Object.fromEntries(rules.set) },
  };
}

/** The same as policies, constraints and a trigger of PostgreSQL. */
export function policiesOf(rules: RandomRules, table: string): string {
  const check = rules.updateCheck === undefined ? '' : `WITH CHECK (${rules.updateCheck})`;
  return `
    DO $$ DECLARE p record; BEGIN
      FOR p IN SELECT policyname FROM pg_policies WHERE schemaname || '.' || tablename = '${table}' LOOP
        EXECUTE format('DROP POLICY %I ON ${table}', p.policyname);
      END LOOP; END $$;
    ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
    CREATE POLICY i ON ${table} FOR INSERT WITH CHECK (${rules.insert});
    CREATE POLICY u ON ${table} FOR UPDATE USING (${rules.update}) ${check};
    CREATE POLICY d ON ${table} FOR DELETE USING (${rules.delete});
    CREATE POLICY s ON ${table} FOR SELECT USING (true);`;
}

/** What policies cannot say, as a trigger before and one after the row is written. */
export function triggersOf(rules: RandomRules, table: string): string {
  const set = [...rules.set].map(([column, value]) => `NEW.${column} := ${value};`).join(' ');
  const required = rules.required.map(
    (column) => `IF NEW.${column} IS NULL THEN RAISE EXCEPTION 'required'; END IF;`,
  );
  const immutable = rules.immutable.map(
    (column) =>
      `IF TG_OP = 'UPDATE' AND NEW.${column} IS DISTINCT FROM OLD.${column} THEN RAISE EXCEPTION 'immutable'; END IF;`,
  );
  const validate = rules.validate.map(
    (check) =>
      `IF NOT coalesce((SELECT (${check})::boolean FROM (SELECT NEW.*) AS notes), false) THEN RAISE EXCEPTION 'check'; END IF;`,
  );
  return `
    CREATE OR REPLACE FUNCTION oracle.before() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
      ${immutable.join('\n')} ${set} ${required.join('\n')} ${validate.join('\n')} RETURN NEW; END $f$;
    CREATE OR REPLACE TRIGGER before BEFORE INSERT OR UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION oracle.before();`;
}
