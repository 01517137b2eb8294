import { expect, test } from 'vitest';
import { MAX_OP, type WriteGateState } from '../crud/write-gate.ts';
import { nextUploadStep, type UploadFacts, type UploadStep } from './upload-step.ts';

const gate = (rest: Partial<WriteGateState>): WriteGateState => ({
  target: undefined,
  seen: undefined,
  pending: 0,
  sequence: 7,
  ...rest,
});
const facts = (rest: Partial<UploadFacts>): UploadFacts => ({
  gate: gate({}),
  oldest: undefined,
  previous: undefined,
  mayRepeat: false,
  ...rest,
});

test.each<[title: string, facts: UploadFacts, step: UploadStep]>([
  ['an entry is uploaded', facts({ oldest: 3 }), { kind: 'upload', oldest: 3 }],
  [
    'the next one too, when the one before was completed',
    facts({ oldest: 4, previous: 3 }),
    { kind: 'upload', oldest: 4 },
  ],
  [
    'the same entry again says that nothing was completed',
    facts({ oldest: 3, previous: 3 }),
    { kind: 'stuck' },
  ],
  [
    'with everything uploaded, a write checkpoint is asked for',
    facts({ gate: gate({ target: MAX_OP }) }),
    { kind: 'checkpoint', sequence: 7 },
  ],
  [
    'but not before',
    facts({ gate: gate({ target: MAX_OP, pending: 1 }), oldest: 3 }),
    { kind: 'upload', oldest: 3 },
  ],
  ['without local writes there is nothing to do', facts({}), { kind: 'rest' }],
  [
    'a known target is waited for',
    facts({ gate: gate({ target: 5n, seen: 4n }) }),
    { kind: 'rest' },
  ],
  [
    'and asked for again when it does not come',
    facts({ gate: gate({ target: 5n }), mayRepeat: true }),
    { kind: 'repeat', checkpoint: 5n },
  ],
  [
    'until it has come',
    facts({ gate: gate({ target: 5n, seen: 5n }), mayRepeat: true }),
    { kind: 'rest' },
  ],
])('%s', (_title, given, step) => {
  expect(nextUploadStep(given)).toEqual(step);
});
