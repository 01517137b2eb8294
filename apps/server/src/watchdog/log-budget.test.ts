import { expect, it } from 'vitest';
import type { LogRetention } from '@sluice/source';
import { budgetFault, budgetLeft } from './log-budget.ts';

const KEPT: LogRetention = { status: 'extended', remainingBytes: undefined, limitBytes: undefined };

it.each<[Partial<LogRetention>, number | undefined, string | undefined]>([
  [{}, undefined, undefined],
  [{ remainingBytes: 51, limitBytes: 100 }, 0.51, undefined],
  [{ remainingBytes: 50, limitBytes: 100 }, 0.5, 'SOURCE_LOG_BUDGET_LOW'],
  [{ remainingBytes: 16, limitBytes: 100 }, 0.16, 'SOURCE_LOG_BUDGET_LOW'],
  [{ remainingBytes: 15, limitBytes: 100 }, 0.15, 'SOURCE_LOG_BUDGET_SPENT'],
  [{ remainingBytes: -5, limitBytes: 100 }, 0, 'SOURCE_LOG_BUDGET_SPENT'],
  [{ status: 'unreserved' }, undefined, 'SOURCE_LOG_BUDGET_SPENT'],
  [{ status: 'lost' }, 0, 'SOURCE_LOG_BUDGET_SPENT'],
])('of a slot with %j, %d is left, which is %s', (change, left, code) => {
  expect(budgetLeft({ ...KEPT, ...change })).toBe(left);
  expect(budgetFault({ ...KEPT, ...change })?.code).toBe(code);
});
