import { randomModifiers, randomPattern, randomTimeValue } from '../random-dates.ts';
import { call, type Category, type Generator } from './generator.ts';
import { tree, type SqlTree } from './sql-tree.ts';

export const DATE_CATEGORIES: readonly Category[] = [{ name: 'dates', generate: date }];

function timeValue(g: Generator): SqlTree {
  const kind = g.random.next();
  if (kind < 0.3) return tree('t');
  return kind < 0.9 ? g.literal(randomTimeValue(g.random)) : g.closed();
}

const FUNCTIONS = ['date', 'time', 'datetime', 'julianday', 'unixepoch'] as const;

function date(g: Generator): SqlTree {
  const modifiers = randomModifiers(g.random).map((modifier) =>
    g.random.chance(0.97) ? g.literal(modifier) : g.closed(),
  );
  const args = [timeValue(g), ...modifiers];
  if (g.edition === 3) return call(g.random.pick(['datetime', 'unixepoch']), args);
  const form = g.random.next();
  if (form < 0.1) return call('timediff', [timeValue(g), timeValue(g)]);
  if (form < 0.4) return call('strftime', [g.literal(randomPattern(g.random)), ...args]);
  return call(g.random.pick(FUNCTIONS), args);
}
