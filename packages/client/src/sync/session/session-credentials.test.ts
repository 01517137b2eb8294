import { describe, expect, test } from 'vitest';
import { SPEC_LINES, SessionWorld, specWorld } from '../../testing/session-world.ts';

const ALL = [
  SPEC_LINES.checkpoint,
  SPEC_LINES.lists,
  SPEC_LINES.partial,
  SPEC_LINES.todos,
  SPEC_LINES.complete,
];

describe('credentials', () => {
  test('a refused token is replaced once at once, then later', async () => {
    const world = new SessionWorld();
    world.service.refusals.push(401, 401);
    await world.connect();
    expect(world.fetches).toBe(2);
    expect(world.status.downloadError?.code).toBe('UNAUTHORIZED');
    await world.clock.advance(2_000);
    expect(world.fetches).toBe(3);
    expect(world.status.connected).toBe(true);
  });

  test('are fetched ahead when the token has 30 s left, without a flicker', async () => {
    const world = await specWorld();
    await world.send(...ALL);
    let give: () => void = () => undefined;
    world.fetchCredentials = () =>
      new Promise((resolve) => {
        give = () => resolve({ endpoint: 'http://service', token: 'second' });
      });
    world.statuses.length = 0;
    await world.send({ token_expires_in: 30 }, { token_expires_in: 29 });
    expect(world.fetches).toBe(2);
    expect(world.service.streams).toHaveLength(1);
    give();
    await world.clock.advance(0);
    expect(world.service.streams).toHaveLength(2);
    expect(world.service.stream.headers.get('authorization')).toBe('Token second');
    await world.send(SPEC_LINES.checkpoint, SPEC_LINES.complete);
    expect(
      world.statuses.map(({ connected, connecting }) => [connected, connecting]),
    ).not.toContainEqual([false, expect.anything()]);
    expect(world.fetches).toBe(2);
  });

  test('nobody signed in: waits for a hint', async () => {
    const world = new SessionWorld();
    world.fetchCredentials = () => Promise.resolve(null);
    await world.connect();
    expect(world.status.downloadError?.code).toBe('SIGNED_OUT');
    await world.clock.advance(600_000);
    expect(world.fetches).toBe(1);
    world.fetchCredentials = () => Promise.resolve({ endpoint: 'http://service', token: 't' });
    world.session.hint();
    await world.clock.advance(0);
    expect(world.status.connected).toBe(true);
  });

  test.each([
    ['throws', () => Promise.reject(new Error('no network'))],
    ['gives an empty endpoint', () => Promise.resolve({ endpoint: '', token: 't' })],
    [
      'gives an endpoint with a slash',
      () => Promise.resolve({ endpoint: 'http://a/', token: 't' }),
    ],
    [
      'gives an endpoint without a scheme',
      () => Promise.resolve({ endpoint: 'a:8080', token: 't' }),
    ],
  ])('an app that %s is asked again later', async (_what, fetchCredentials) => {
    const world = new SessionWorld();
    world.fetchCredentials = fetchCredentials;
    await world.connect();
    expect(world.status.downloadError?.code).toBe('CREDENTIALS');
    await world.clock.advance(500);
    expect(world.fetches).toBe(2);
  });

  test('a slow app is asked once, however many wait for it', async () => {
    const world = new SessionWorld();
    world.fetchCredentials = () => new Promise(() => undefined);
    world.write(`INSERT INTO lists (id, name) VALUES ('L9', 'n')`);
    await world.connect();
    await world.clock.advance(200_000);
    expect(world.status.downloadError?.code).toBe('CREDENTIALS');
    expect(world.status.uploadError?.code).toBe('CREDENTIALS');
    expect(world.fetches).toBe(1);
  });

  test('those that run out within 30 s are replaced before they are used', async () => {
    const world = new SessionWorld();
    const expiring = (seconds: number) => ({
      endpoint: 'http://service',
      token: `a.${btoa(JSON.stringify({ exp: Math.floor(world.clock.now() / 1000) + seconds }))}.c`,
    });
    world.fetchCredentials = () => Promise.resolve(expiring(100));
    await world.connect();
    world.service.stream.end();
    await world.clock.advance(500);
    expect(world.service.streams).toHaveLength(2);
    expect(world.fetches).toBe(1);
    await world.clock.advance(30_000);
    await world.send({ token_expires_in: 69 });
    await world.clock.advance(40_000);
    world.service.stream.end();
    await world.clock.advance(10_000);
    expect(world.fetches).toBe(2);
  });
});
