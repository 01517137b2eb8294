import { CORE_CATEGORIES } from './core-categories.ts';
import type { Category } from './generator.ts';

/** Everything that is tested against SQLite. A new kind of expressions is one more entry. */
export const CATEGORIES: readonly Category[] = [...CORE_CATEGORIES];
