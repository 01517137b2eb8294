import { must, UNPACED } from '@sluice/base';
import { parseStreamRequest } from '@sluice/protocol';
import { compileSyncConfig } from '@sluice/sync-config';
import { scriptedPlan, settle, subjectOf, type ScriptedStream } from '@sluice/testing';
import { describe, expect, test } from 'vitest';
import { countConcerned } from './concerned-sessions.ts';
import { A, start } from './testing/session-world.ts';

const DEFAULT: ScriptedStream = { name: 'default', buckets: () => ['d'] };
const OF_ODD: ScriptedStream = {
  name: 'of odd users',
  buckets: (request) => (Number(subjectOf(request)) % 2 === 1 ? ['o'] : []),
};
const ON_DEMAND: ScriptedStream = {
  name: 'on demand',
  isDefault: false,
  buckets: () => ['s'],
};
const LOOKED_UP: ScriptedStream = { name: 'looked up', lookupKey: subjectOf };
const PLAN = scriptedPlan([DEFAULT, OF_ODD, ON_DEMAND, LOOKED_UP]);

const use = (name: string, takePart: number, withBuckets: number, undecided = 0) => ({
  name,
  hash: `hash of ${name}`,
  takePart,
  withBuckets,
  undecided,
});

describe('the sessions that a plan concerns', () => {
  test('are counted by definition, of those connected under another config', async () => {
    const { hub, connect } = start([A]);
    const subscriptions = [{ stream: 'on demand', parameters: null, override_priority: null }];
    const requests = [
      {},
      { streams: { include_defaults: true, subscriptions } },
      { streams: { include_defaults: false, subscriptions } },
    ];
    for (let user = 0; user < 9; user += 1) {
      const connection = connect({ request: requests[user % 3] ?? {}, claims: { sub: `${user}` } });
      await connection.drain();
      if (user === 8) connection.close();
    }
    await settle();
    // Users 0 to 7; 2 and 5 have no defaults; 1, 2, 4, 5 and 7 subscribed.
    expect(await hub.sessionsConcerned(PLAN)).toEqual({
      sessions: 8,
      asked: 8,
      refused: 0,
      definitions: [
        use('default', 6, 6),
        use('of odd users', 6, 3),
        use('on demand', 5, 5),
        use('looked up', 6, 0, 6),
      ],
    });
  });

  test('are none while nobody is connected', async () => {
    const { hub } = start([A]);
    expect(await hub.sessionsConcerned(PLAN)).toMatchObject({ sessions: 0, asked: 0 });
  });

  test('are those that it would refuse, because a parameter query of theirs fails', async () => {
    const yaml = `bucket_definitions:
  mail:
    parameters: SELECT value AS address FROM json_each(request.jwt() ->> 'mail')
    data:
      - SELECT id FROM mail WHERE address = bucket.address
`;
    const { plan } = compileSyncConfig(yaml, { defaultSchema: 'public' });
    const { hub, connect } = start([A]);
    for (const mail of ['["m1","m2"]', '[]', 'no JSON']) {
      await connect({ claims: { sub: 'u1', mail } }).drain();
    }
    expect(await hub.sessionsConcerned(must(plan))).toMatchObject({
      sessions: 3,
      asked: 3,
      refused: 1,
      definitions: [{ name: 'mail', takePart: 2, withBuckets: 1, undecided: 0 }],
    });
  });

  test('are estimated by a sample of all where there are many', async () => {
    const { parameters, includeDefaults, subscriptions } = parseStreamRequest({});
    const sessions = Array.from({ length: 50_001 }, (_, user) => ({
      asks: { claims: { sub: `${user}` }, parameters, includeDefaults, subscriptions },
    }));
    for (const random of [0, 0.5, 0.999]) {
      const count = await countConcerned(PLAN, new Set(sessions), {
        random: () => random,
        pace: UNPACED,
      });
      expect(count).toMatchObject({ sessions: 50_001, asked: 2000 });
      expect(count.definitions[0]).toEqual(use('default', 2000, 2000));
      const share = (count.definitions[1]?.withBuckets ?? 0) / count.asked;
      expect(share).toBeGreaterThan(0.45);
      expect(share).toBeLessThan(0.55);
    }
  });

  test('do not wait for it: other work has its turn in between', async () => {
    const { parameters, includeDefaults, subscriptions } = parseStreamRequest({});
    const asks = { claims: { sub: '1' }, parameters, includeDefaults, subscriptions };
    const sessions = new Set(Array.from({ length: 2000 }, () => ({ asks })));
    let turns = 0;
    let isDone = false;
    const count = () => {
      turns += 1;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    await countConcerned(PLAN, sessions, { random: () => 0, pace: UNPACED });
    isDone = true;
    expect(turns).toBeGreaterThan(20);
  });
});
