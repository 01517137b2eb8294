import { CORE_CATEGORIES } from './core-categories.ts';
import { DATE_CATEGORIES } from './date-categories.ts';
import type { Category } from './generator.ts';
import { JSON_CATEGORIES } from './json-categories.ts';

/** Everything that is tested against SQLite. A new kind of expressions is one more entry. */
export const CATEGORIES: readonly Category[] = [
  ...CORE_CATEGORIES,
  ...JSON_CATEGORIES,
  ...DATE_CATEGORIES,
];
