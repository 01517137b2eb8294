import { describe, expect, it } from 'vitest';
import { compile } from './testing/check.ts';

const CONFIGS = [
  `config: { edition: 3, timestamp_max_precision: seconds }
with:
  mine: SELECT org_id AS x FROM members AS "M" WHERE user_id = auth.user_id() AND NOT (a OR b)
streams:
  s:
    priority: 1
    with: { other: SELECT value FROM json_each(auth.parameter('list')) }
    queries:
      - SELECT * FROM tasks WHERE org IN mine AND (x IN other OR tags && '["a"]') -- note
      - |
        SELECT t.id, CASE t.a WHEN 1 THEN 'x' ELSE t.b ->> 'k' END AS c, t.schema() AS s
          FROM "log_%" t JOIN (SELECT id FROM lists) AS l ON l.id = t.list
          WHERE l.id = connection.parameter('x') AND t.n BETWEEN 1 AND 2
`,
  `bucket_definitions:
  d:
    parameters:
      - SELECT org AS p, token_parameters.q AS q FROM m WHERE u = request.user_id() AND k IN request.jwt() ->> 'a'
      - SELECT value AS p, 'x' AS q, 2 AS _priority FROM json_each(request.parameters() ->> 'l')
    data:
      - "SELECT *, CAST(a AS text) AS b FROM public.t AS \\"T\\" WHERE x = bucket.p AND bucket.q IN y"
`,
];

const PIECES = [
  '(',
  ')',
  ',',
  "'",
  '"',
  ' ',
  '\n',
  ':',
  '-',
  '*',
  '.',
  'NOT ',
  'SELECT ',
  'IN ',
  '{',
  ']',
  '|',
  'é',
  '1',
];

describe('compileSyncConfig', () => {
  it('compiles the configs that are broken below', () => {
    for (const yaml of CONFIGS) {
      expect(compile(yaml).diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    }
  });

  it('never throws, and points into the text, whatever the text', () => {
    const seed = 4711;
    let state = seed;
    const random = (below: number) => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((state / 2_147_483_648) * below);
    };
    for (let i = 0; i < 1500; i++) {
      let yaml = CONFIGS[i % CONFIGS.length] ?? '';
      for (let edits = 0; edits <= random(3); edits++) {
        const at = random(yaml.length);
        const piece = random(3) === 0 ? '' : (PIECES[random(PIECES.length)] ?? '');
        yaml = yaml.slice(0, at) + piece + yaml.slice(at + random(4));
      }
      const { plan, diagnostics } = compile(yaml);
      const hasErrors = diagnostics.some(({ severity }) => severity === 'error');
      expect({ seed, i, yaml, hasPlan: plan !== undefined }).toEqual({
        seed,
        i,
        yaml,
        hasPlan: !hasErrors,
      });
      for (const { start, end } of diagnostics) {
        expect(
          start >= 0 && start <= end && end <= yaml.length,
          `${seed} ${i} ${start} ${end}\n${yaml}`,
        ).toBe(true);
      }
    }
  }, 60_000);
});
