import { describe, expect, it } from 'vitest';
import { compile, definition, stream } from './testing/check.ts';

// spec/sync-config.md 8.5 and 10.9, sentence by sentence: what is trusted, in the words of the query.

function trusted(yaml: string): readonly string[] {
  const { diagnostics } = compile(yaml);
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  return diagnostics
    .filter(({ code }) => code === 'DANGEROUS')
    .map(({ start, end }) => yaml.slice(start, end));
}

const X = "subscription.parameter('x')";

describe.each([3, 2])('a stream of edition %i', (edition) => {
  const query = (condition: string) =>
    stream(condition).replace('edition: 3', `edition: ${edition}`);

  it.each([
    // Unauthenticated data takes part in choosing buckets.
    [`SELECT * FROM t WHERE id = ${X}`, [X]],
    ["SELECT * FROM t WHERE id = connection.parameter('x')", ["connection.parameter('x')"]],
    [
      "SELECT * FROM t WHERE id = subscription.parameters() ->> 'x'",
      ["subscription.parameters() ->> 'x'"],
    ],
    [
      "SELECT * FROM t WHERE id IN subscription.parameter('ids')",
      ["subscription.parameter('ids')"],
    ],
    [`SELECT * FROM t WHERE ${X} = 'secret'`, [X]],
    [`SELECT * FROM t WHERE id IN (SELECT t FROM m WHERE k = ${X})`, [X]],
    // A link or a lookup by a claim, anywhere in the conjunction, restricts it.
    [`SELECT * FROM t WHERE id = ${X} AND owner = auth.user_id()`, []],
    [`SELECT * FROM t WHERE id = ${X} AND id IN (SELECT t FROM m WHERE u = auth.user_id())`, []],
    [`SELECT * FROM t WHERE id = ${X} AND org IN auth.parameter('orgs')`, []],
    // A mere filter on a claim does not.
    [`SELECT * FROM t WHERE id = ${X} AND auth.parameter('role') = 'admin'`, [X]],
    [`SELECT * FROM t WHERE id = ${X} AND auth.user_id() IS NOT NULL`, [X]],
    // Each conjunction counts for itself.
    [`SELECT * FROM t WHERE id = ${X} OR owner = auth.user_id()`, [X]],
    [`SELECT * FROM t WHERE (id = ${X} OR org = ${X}) AND owner = auth.user_id()`, []],
    // Without request data nothing is flagged.
    ['SELECT * FROM t', []],
    ['SELECT * FROM t WHERE owner = auth.user_id()', []],
    ["SELECT * FROM t WHERE state = 'open'", []],
  ])('%s trusts %j', (sql, expected) => {
    expect(trusted(query(sql))).toEqual(expected);
  });

  it('is not flagged when that is accepted', () => {
    const yaml = query(`SELECT * FROM t WHERE id = ${X}`);
    const accepting = yaml.replace(
      'query:',
      'accept_potentially_dangerous_queries: true\n    query:',
    );
    expect(trusted(accepting)).toEqual([]);
  });
});

describe('a compiled stream', () => {
  const G = "json_each(auth.parameter('grants')) AS g";

  it.each([
    [`SELECT t.* FROM t, ${G} WHERE t.org = g.value AND t.id = ${X}`, []],
    // An array of claims that only has to exist is a filter.
    [`SELECT t.* FROM t, ${G} WHERE g.value = 'admin' AND t.id = ${X}`, [X]],
    [`SELECT t.* FROM t, json_each(${X}) AS g WHERE t.org = g.value`, [X]],
    [`SELECT t.* FROM t JOIN m ON m.t = t.id WHERE m.u = auth.user_id() AND t.id = ${X}`, []],
    [`SELECT * FROM t WHERE id = ${X} AND tags && auth.parameter('tags')`, []],
    [`SELECT * FROM t WHERE id = ${X} AND auth.user_id() IN (SELECT u FROM admins)`, []],
  ])('%s trusts %j', (sql, expected) => {
    expect(trusted(stream(sql))).toEqual(expected);
  });

  it('is flagged where it mentions the CTE that trusts the client', () => {
    const yaml = `config: { edition: 3 }
with: { mine: SELECT t FROM m WHERE u = connection.parameter('u') }
streams: { a: { query: SELECT * FROM t WHERE id IN mine } }
`;
    const [found, ...others] = compile(yaml).diagnostics;
    expect(others).toEqual([]);
    expect(found?.start).toBe(yaml.lastIndexOf('mine'));
    expect(found?.message).toContain("connection.parameter('u')");
  });

  it('is told what would restrict it', () => {
    const [found] = compile(stream(`SELECT * FROM t WHERE id = ${X}`)).diagnostics;
    expect(found?.message).toContain(X);
    expect(found?.fix).toMatch(/owner_id = auth\.user_id\(\).*IN \(SELECT.*accept_potentially/);
  });

  it('is not flagged beside an error, which may be in the condition that restricts it', () => {
    const { diagnostics } = compile(stream(`SELECT * FROM t WHERE id = ${X} AND o = auth.uid()`));
    expect(diagnostics.map(({ code }) => code)).toEqual(['UNKNOWN_FUNCTION']);
  });
});

describe.each([1, 2])('a parameter query of edition %i', (edition) => {
  const U = 'user_parameters.x';

  it.each([
    // Static queries need an authenticated output; a filter on a claim does not count.
    [`SELECT ${U} AS p`, [U]],
    ["SELECT request.parameters() ->> 'x' AS p", ["request.parameters() ->> 'x'"]],
    [
      "SELECT request.parameter('x') AS p WHERE token_parameters.admin = 1",
      ["request.parameter('x')"],
    ],
    [`SELECT ${U} AS p WHERE request.jwt() ->> 'role' = 'admin'`, [U]],
    ['SELECT request.user_id() AS p', []],
    [`SELECT request.user_id() AS p WHERE ${U} = 1`, []],
    [`SELECT 'all' AS p WHERE ${U} = 'secret'`, [U]],
    ["SELECT 'all' AS p", []],
    // Expanding queries too; the elements of a claim are authenticated.
    [
      "SELECT value AS p FROM json_each(request.parameters() ->> 'ids')",
      ["request.parameters() ->> 'ids'"],
    ],
    ["SELECT value AS p FROM json_each(request.jwt() ->> 'ids')", []],
    [`SELECT value AS p FROM json_each(request.jwt() ->> 'ids') WHERE value = ${U}`, []],
    // Table queries need an authenticated output or match.
    [`SELECT a AS p FROM m WHERE id = ${U}`, [U]],
    [`SELECT a AS p FROM m WHERE id = ${U} AND u = request.user_id()`, []],
    [`SELECT a AS p FROM m WHERE id = ${U} AND u = token_parameters.org`, []],
    [`SELECT a AS p FROM m WHERE id = ${U} AND request.jwt() ->> 'role' = 'admin'`, [U]],
    [
      "SELECT a AS p FROM m WHERE u IN request.parameters() ->> 'us'",
      ["request.parameters() ->> 'us'"],
    ],
    ['SELECT a AS p FROM m WHERE u = request.user_id()', []],
    ['SELECT a AS p FROM m', []],
  ])('%s trusts %j', (sql, expected) => {
    expect(trusted(definition('SELECT * FROM t WHERE a = bucket.p', sql, edition))).toEqual(
      expected,
    );
  });

  it('is not flagged when an output is authenticated, or when that is accepted', () => {
    const two = definition('SELECT * FROM t WHERE a = bucket.p AND b = bucket.q', `SELECT ${U} AS p, request.user_id() AS q`, edition);
    expect(trusted(two)).toEqual([]);
    const yaml = definition('SELECT * FROM t WHERE a = bucket.p', `SELECT ${U} AS p`, edition);
    const accepting = yaml.replace('    data:', '    accept_potentially_dangerous_queries: true\n    data:');
    expect(trusted(accepting)).toEqual([]);
  }); // prettier-ignore
});
