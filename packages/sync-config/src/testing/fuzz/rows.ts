import type { SqliteValue } from '@sluice/model';
import type { SeededRandom } from '@sluice/testing';
import { randomTimeValue } from '../random-dates.ts';
import { jsonText } from './json-categories.ts';
import { randomInteger, randomReal, randomText, randomValue } from './nasty-values.ts';

/** The columns of the one table: `a` to `d` hold anything, the others mostly what their names say. */
export const COLUMNS = ['a', 'b', 'c', 'd', 'i', 'r', 's', 'j', 't'] as const;

export type FuzzRow = readonly SqliteValue[];

export function randomRow(random: SeededRandom): FuzzRow {
  const mostly = (value: SqliteValue) => (random.chance(0.9) ? value : randomValue(random));
  return [
    randomValue(random),
    randomValue(random),
    randomValue(random),
    randomValue(random),
    mostly(randomInteger(random)),
    mostly(randomReal(random)),
    mostly(randomText(random)),
    mostly(jsonText(random)),
    mostly(randomTimeValue(random)),
  ];
}
