import { randomJson, randomPath, randomStep } from '../random-json.ts';
import { call, type Category, type Generator } from './generator.ts';
import { tree, type SqlTree } from './sql-tree.ts';

export const JSON_CATEGORIES: readonly Category[] = [
  { name: 'json', generate: reading },
  { name: 'json making', generate: (g) => (g.edition === 3 ? undefined : making(g)) },
];

function json(g: Generator): SqlTree {
  const kind = g.random.next();
  if (kind < 0.4) return tree('j');
  return kind < 0.9 ? g.literal(randomJson(g.random)) : g.closed();
}

function path(g: Generator): SqlTree {
  return g.random.chance(0.95) ? g.literal(randomPath(g.random)) : g.closed();
}

const OF_JSON = ['json', 'json_type', 'json_valid', 'json_array_length'] as const;
const WITH_PATH = ['json_extract', 'json_array_length', 'json_type'] as const;

function reading(g: Generator): SqlTree {
  const form = g.random.next();
  if (form < 0.5) {
    const step = g.random.chance(0.5) ? g.literal(randomStep(g.random)) : path(g);
    return tree(`# ${g.random.pick(['->', '->>'])} #`, json(g), step);
  }
  if (g.edition === 3) return call('json_extract', [json(g), path(g)]);
  if (form < 0.6) return call('json_extract', [json(g), path(g), path(g)]);
  if (form < 0.75) return call(g.random.pick(OF_JSON), [json(g)]);
  if (form < 0.8) return call('json_valid', [json(g), g.small()]);
  return call(g.random.pick(WITH_PATH), [json(g), path(g)]);
}

function making(g: Generator): SqlTree {
  const form = g.random.next();
  if (form < 0.15) return call('json_quote', [marked(g, 3)]);
  const items = Array.from({ length: 1 + g.random.int(3) }, () => marked(g, 3));
  if (form < 0.7) return call('json_array', items);
  return call(
    'json_object',
    items.flatMap((item) => [g.text(), item]),
  );
}

/** What SQLite may have marked as JSON, often through an operator that keeps the mark or not. */
function marked(g: Generator, depth: number): SqlTree {
  const inner = () => marked(g, depth - 1);
  if (depth === 0 || g.random.chance(0.4)) return source(g);
  switch (g.random.int(12)) {
    case 0:
      return tree('CASE WHEN # THEN # ELSE # END', g.closed(), inner(), inner());
    case 1:
      return tree(
        'CASE # WHEN # THEN # WHEN # THEN # END',
        inner(),
        inner(),
        inner(),
        g.closed(),
        inner(),
      );
    case 2:
      return call(g.random.pick(['iif', 'if']), [g.closed(), inner(), inner()]);
    case 3:
      return call(g.random.pick(['coalesce', 'ifnull']), [inner(), inner()]);
    case 4:
      return call('nullif', [inner(), inner()]);
    case 5:
      return call(g.random.pick(['min', 'max']), [inner(), inner(), inner()]);
    case 6:
      return tree('(+#)', inner());
    case 7:
      return tree(`(# COLLATE ${g.random.pick(['NOCASE', 'RTRIM'])})`, inner());
    case 8:
      return tree(`CAST(# AS ${g.random.pick(['TEXT', 'TEXT', 'NUMERIC', 'BLOB'])})`, inner());
    case 9:
      return call('replace', [inner(), g.literal(g.random.pick(['', '1', 'a'])), inner()]);
    case 10:
      return tree(`(# || '')`, inner());
    default:
      return making(g);
  }
}

function source(g: Generator): SqlTree {
  const kind = g.random.next();
  if (kind < 0.3) return call('json', [json(g)]);
  if (kind < 0.5)
    return tree(
      `(# ${g.random.pick(['->', '->', '->>'])} #)`,
      json(g),
      g.literal(randomStep(g.random)),
    );
  if (kind < 0.65) return call('json_extract', [json(g), path(g)]);
  return kind < 0.8 ? json(g) : g.closed();
}
