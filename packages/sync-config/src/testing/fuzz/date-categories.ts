import type { SqliteValue } from '@sluice/model';
import { randomModifiers, randomPattern, randomTimeValue } from '../random-dates.ts';
import { call, type Category, type Generator } from './generator.ts';
import type { SqlTree } from './sql-tree.ts';
import { tree } from './sql-tree.ts';

/** Functions on dates and times. */
export const DATE_CATEGORIES: readonly Category[] = [{ name: 'dates', generate: dateFunction }];

const NAMES = ['date', 'time', 'datetime', 'julianday', 'unixepoch'] as const;

function dateFunction(g: Generator): SqlTree {
  const modifiers = () => randomModifiers(g.random).map((modifier) => literal(g, modifier));
  if (g.edition === 3) {
    return call(g.random.pick(['datetime', 'unixepoch']), [time(g), ...modifiers()]);
  }
  const form = g.random.next();
  if (form < 0.15) {
    return call('strftime', [literal(g, randomPattern(g.random)), time(g), ...modifiers()]);
  }
  if (form < 0.25) return call('timediff', [time(g), time(g)]);
  return call(g.random.pick(NAMES), [time(g), ...modifiers()]);
}

function time(g: Generator): SqlTree {
  const kind = g.random.next();
  if (kind < 0.3) return tree('t');
  return kind < 0.9 ? literal(g, randomTimeValue(g.random)) : g.literal(BigInt(g.random.int(9)));
}

/** The clock and the time zone are refused; what else cannot be written is left out. */
function literal(g: Generator, value: SqliteValue): SqlTree {
  const isClock = typeof value === 'string' && /^(?:now|subsec|subsecond)$/i.test(value);
  return g.literal(isClock ? 'floor' : value);
}
