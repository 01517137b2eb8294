import { SeededRandom } from '@sluice/testing';
import { expect, test } from 'vitest';
import type { GenerationConfigs, StoredConfig } from '@sluice/storage';
import { fillOf } from './bucket-prefix.ts';
import { configsAfter, droppedPrefixes, type ConfigEvent } from './config-changes.ts';

/** A config of definitions that are called what they hash to; `a1` and `a2` are both named `a`. */
const wanted = (hashes: string, text = hashes) => ({
  text,
  hash: hashes,
  parts: hashes.split(' ').map((hash) => ({ name: hash.slice(0, 1), hash })),
});
const deploy = (hashes: string, fill: number, text = hashes): ConfigEvent => ({
  kind: 'deploy',
  wanted: wanted(hashes, text),
  fill,
  nowMs: fill,
});
/** `a1:1 b1:2`: definition `a1` of fill 1 and `b1` of fill 2. */
const stored = (prefixes: string): StoredConfig => {
  const parts = prefixes.split(' ').map((part) => part.split(':') as [string, string]);
  const hash = parts.map(([one]) => one).join(' ');
  const entries = parts.map(([one, fill]) => [one, `${one}.${fill}#`]);
  return { text: hash, hash, prefixes: Object.fromEntries(entries), deployedAtMs: 0 };
};
const shown = (config: StoredConfig | undefined): string | undefined =>
  config &&
  Object.entries(config.prefixes)
    .map(([hash, prefix]) => `${hash}:${fillOf(prefix)}`)
    .join(' ');

interface Case {
  readonly title: string;
  readonly before: readonly [serving: string, next?: string | undefined, previous?: string];
  readonly event: ConfigEvent;
  readonly after: readonly [serving: string, next?: string | undefined, previous?: string];
  readonly dropped?: readonly string[];
  readonly isServed?: boolean;
}

test.each<Case>([
  {
    title: 'a deploy keeps what is the same and fills the rest',
    before: ['a1:1 b1:1'],
    event: deploy('a1 b2 c1', 2),
    after: ['a1:1 b1:1', 'a1:1 b2:2 c1:2'],
  },
  {
    title: 'a deploy of what serves, written otherwise, changes the text',
    before: ['a1:1'],
    event: deploy('a1', 2, '# a comment'),
    after: ['a1:1'],
  },
  {
    title: 'a deploy of what serves calls off what is being filled',
    before: ['a1:1', 'a1:1 b1:2', 'c1:1'],
    event: deploy('a1', 3),
    after: ['a1:1', undefined, 'c1:1'],
    dropped: ['b1.2#'],
  },
  {
    title: 'a deploy of what is being filled goes on with it',
    before: ['a1:1', 'a1:1 b1:2'],
    event: deploy('a1 b1', 3),
    after: ['a1:1', 'a1:1 b1:2'],
  },
  {
    title: 'another deploy goes on with those of the one before that it has too',
    before: ['a1:1', 'b1:2 c1:2'],
    event: deploy('a1 b1 d1', 3),
    after: ['a1:1', 'a1:1 b1:2 d1:3'],
    dropped: ['c1.2#'],
  },
  {
    title: 'a deploy takes what it can from the previous config',
    before: ['a1:1', undefined, 'a2:2 b1:2'],
    event: deploy('a1 b1 c1', 3),
    after: ['a1:1', 'a1:1 b1:2 c1:3', 'a2:2 b1:2'],
  },
  {
    title: 'what is filled takes over; what the config before the last alone had goes',
    before: ['a1:1 b1:1', 'a1:1 c1:3', 'a1:1 z1:1'],
    event: { kind: 'filled' },
    after: ['a1:1 c1:3', undefined, 'a1:1 b1:1'],
    dropped: ['z1.1#'],
  },
  {
    title: 'going back fills nothing, and is over with its switch',
    before: ['a1:1', 'c1:3', 'b1:2'],
    event: { kind: 'roll-back' },
    after: ['a1:1', 'b1:2'],
    dropped: ['c1.3#'],
  },
  {
    title: 'there is nothing to go back to',
    before: ['a1:1', 'c1:3'],
    event: { kind: 'roll-back' },
    after: ['a1:1', 'c1:3'],
  },
  {
    title: 'after a while nobody goes back any more',
    before: ['a1:1', 'b1:2 c1:3', 'b1:2 d1:1'],
    event: { kind: 'keep-over' },
    after: ['a1:1', 'b1:2 c1:3'],
    dropped: ['d1.1#'],
  },
  {
    title: 'what is being filled is called off',
    before: ['a1:1', 'a1:1 c1:3', 'b1:2'],
    event: { kind: 'call-off' },
    after: ['a1:1', undefined, 'b1:2'],
    dropped: ['c1.3#'],
  },
  {
    title: 'while nobody is served, a deploy replaces what will be',
    before: ['a1:1 b1:1'],
    event: deploy('a1 c1', 2),
    after: ['a1:1 c1:2'],
    dropped: ['b1.1#'],
    isServed: false,
  },
])('$title', ({ before, event, after, dropped = [], isServed = true }) => {
  const configs = configsOf(before);
  const result = configsAfter(configs, event, isServed);
  expect([result.serving, result.next, result.previous].map(shown)).toEqual(
    [0, 1, 2].map((i) => after[i]),
  );
  expect(droppedPrefixes(configs, result)).toEqual(dropped);
  if (event.kind === 'deploy') expect((result.next ?? result.serving).text).toBe(event.wanted.text);
});

function configsOf([serving, next, previous]: Case['before']): GenerationConfigs {
  return {
    serving: stored(serving),
    ...(next === undefined ? {} : { next: stored(next) }),
    ...(previous === undefined ? {} : { previous: stored(previous) }),
  };
}

test.each([1, 2, 3, 4, 5])('holds its invariants in any order of events (seed %i)', (seed) => {
  const random = new SeededRandom(seed);
  let configs: GenerationConfigs = { serving: stored('a1:1 b1:1') };
  const gone = new Set<string>();
  for (let fill = 2; fill < 150; fill += 1) {
    const hashes = ['a1', 'a2', 'b1', 'b2', 'c1'].filter(() => random.chance(0.5)).join(' ');
    const event = random.pick<ConfigEvent>([
      deploy(hashes === '' ? 'a1' : hashes, fill),
      { kind: 'filled' },
      { kind: 'roll-back' },
      { kind: 'call-off' },
      { kind: 'keep-over' },
    ]);
    const after = configsAfter(configs, event, true);
    if (event.kind !== 'filled') expect(after.serving.prefixes).toEqual(configs.serving.prefixes);
    for (const prefix of droppedPrefixes(configs, after)) gone.add(prefix);
    const byHash = new Map<string, string>();
    for (const config of [after.serving, after.next, after.previous]) {
      for (const [hash, prefix] of Object.entries(config?.prefixes ?? {})) {
        expect(byHash.get(hash) ?? prefix).toBe(prefix);
        expect(gone.has(prefix)).toBe(false);
        byHash.set(hash, prefix);
      }
      expect(Object.keys(config?.prefixes ?? {}).join(' ')).toBe(config?.hash ?? '');
    }
    for (const kept of [configs.serving, configs.previous]) {
      for (const [hash, prefix] of Object.entries(kept?.prefixes ?? {})) {
        if (event.kind === 'deploy') expect(byHash.get(hash) ?? prefix).toBe(prefix);
      }
    }
    configs = after;
  }
  expect(gone.size).toBeGreaterThan(5);
});
