import { FakeClock, until } from '@sluice/testing';
import { expect, test } from 'vitest';
import type { AppConnector } from '../facade/database-access.ts';
import { Connectors, type ConnectingApp } from './connectors.ts';

/** An app whose page may be frozen: it answers nothing then. */
class TestApp implements ConnectingApp {
  readonly name: string;
  readonly uploads: AbortSignal[] = [];
  isFrozen = false;
  /** What an upload waits for. */
  work: Promise<void> | undefined;

  constructor(name: string) {
    this.name = name;
  }

  readonly isAwake = () => this.#answer(undefined);
  readonly disconnected = () => undefined;

  readonly connector: AppConnector = {
    fetchCredentials: () => this.#answer({ endpoint: 'http://service', token: this.name }),
    uploadData: (signal) => {
      this.uploads.push(signal);
      return this.#answer(undefined, this.work);
    },
    postCheckpointRequest: undefined,
  };

  async #answer<T>(value: T, work?: Promise<void>): Promise<T> {
    if (work === undefined && this.isFrozen) await new Promise(() => undefined);
    await work;
    return value;
  }
}

/** What a sync session would ask. */
async function connected(...apps: readonly TestApp[]) {
  const clock = new FakeClock();
  const problems: unknown[] = [];
  let asked: AppConnector | undefined;
  const connectors = new Connectors(
    {
      connect: async (connector) => {
        asked ??= connector;
      },
      disconnect: () => Promise.resolve(),
    },
    { clock, onProblem: (problem) => problems.push(problem) },
  );
  for (const app of apps) await connectors.connect(app, {});
  if (asked === undefined) throw new Error('Nothing was connected');
  return { clock, connector: asked, problems };
}

test('an app that is frozen in an upload is passed over within 15 s, and what it was doing is cancelled', async () => {
  const awake = new TestApp('awake');
  const frozen = new TestApp('frozen');
  const { clock, connector } = await connected(awake, frozen);
  frozen.isFrozen = true;
  let isUploaded = false;
  const uploading = connector
    .uploadData(new AbortController().signal)
    .then(() => (isUploaded = true));
  await clock.advance(5_000);
  await clock.advance(9_999);
  expect(isUploaded).toBe(false);
  await clock.advance(1);
  await uploading;
  expect(frozen.uploads.map(({ aborted }) => aborted)).toEqual([true]);
  expect(awake.uploads).toHaveLength(1);
  // It is asked again only when nobody else is there.
  expect(await connector.fetchCredentials()).toMatchObject({ token: 'awake' });
});

test.each([
  ['takes long but is awake', [false, false]],
  ['is frozen while all others are', [true, true]],
])('an app that %s is waited for', async (_, [isFrozen = false, isOtherFrozen = false]) => {
  const other = new TestApp('other');
  const slow = new TestApp('slow');
  const { clock, connector, problems } = await connected(other, slow);
  slow.isFrozen = isFrozen;
  other.isFrozen = isOtherFrozen;
  let finish: () => void = () => undefined;
  slow.work = new Promise((resolve) => (finish = resolve));
  const uploading = connector.uploadData(new AbortController().signal);
  for (let second = 0; second < 120; second++) await clock.advance(1_000);
  await until('it is asked', () => slow.uploads.length === 1);
  expect(slow.uploads[0]?.aborted).toBe(false);
  finish();
  await uploading;
  expect(other.uploads).toEqual([]);
  expect(problems).toEqual([]);
});
