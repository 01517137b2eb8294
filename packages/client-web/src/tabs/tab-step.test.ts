import { expect, test } from 'vitest';
import { ALONE, tabStep, type TabEvent, type TabState, type TabStep } from './tab-step.ts';

const linking = (leader: string, ticks = 0): TabState => ({ kind: 'linking', leader, ticks });
const linked = (leader: string): TabState => ({ kind: 'linked', leader });
const leads = (leader: string): TabEvent => ({ kind: 'leads', leader });
const lost = (leader: string): TabEvent => ({ kind: 'lost', leader });
const greeted = (leader: string): TabEvent => ({ kind: 'linked', leader });
const tick: TabEvent = { kind: 'tick' };
const ask = { kind: 'ask' } as const;
const link = (leader: string) => ({ kind: 'link', leader }) as const;

test.each<[says: string, state: TabState, event: TabEvent, step: TabStep]>([
  ['asks who leads', ALONE, tick, { state: ALONE, action: ask }],
  ['links to who leads', ALONE, leads('a'), { state: linking('a'), action: link('a') }],
  ['is linked once greeted', linking('a'), greeted('a'), { state: linked('a') }],
  ['does nothing more', linked('a'), tick, { state: linked('a') }],
  ['links once, however often it hears it', linking('a'), leads('a'), { state: linking('a') }],
  ['stays linked when others ask', linked('a'), leads('a'), { state: linked('a') }],
  [
    'changes to the next leader',
    linked('a'),
    leads('b'),
    { state: linking('b'), action: link('b') },
  ],
  [
    'also before it was greeted',
    linking('a'),
    leads('b'),
    { state: linking('b'), action: link('b') },
  ],
  ['is not greeted by a former one', linking('b'), greeted('a'), { state: linking('b') }],
  ['a greeting too late is none', ALONE, greeted('a'), { state: ALONE }],
  ['asks when it loses its leader', linked('a'), lost('a'), { state: ALONE, action: ask }],
  ['or that one in between', linking('a'), lost('a'), { state: ALONE, action: ask }],
  ['does not lose one that it left', linked('b'), lost('a'), { state: linked('b') }],
  ['cannot lose what it has not', ALONE, lost('a'), { state: ALONE }],
  ['waits for the greeting', linking('a', 0), tick, { state: linking('a', 1) }],
  ['asks again at the third tick', linking('a', 2), tick, { state: linking('a', 3), action: ask }],
  ['links anew then', linking('a', 3), leads('a'), { state: linking('a'), action: link('a') }],
])('%s', (_, state, event, step) => {
  expect(tabStep(state, event)).toEqual(step);
});
