import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LocalPostgres } from '@sluice/local-postgres';
import { afterAll, beforeAll, describe } from 'vitest';
import { ClientWorld, type ClientWorldOptions } from './client-world.ts';
import { PLATFORMS, type PlatformChoice } from './platforms.ts';
import type { ClientPlatform } from './test-client.ts';

type WorldChoice = Pick<ClientWorldOptions, 'schema' | 'prepare' | 'syncConfig' | 'config'> & {
  /** Absent: every client over every transport. */
  readonly only?: (choice: PlatformChoice) => boolean;
};

/**
 * Declares the same tests for each official client and transport, each with a database and a service
 * of its own, which is started. The suite is given a function that has the world once tests run.
 */
export function forEachClient(
  options: WorldChoice,
  suite: (world: () => ClientWorld, choice: PlatformChoice) => void,
): void {
  let postgres: LocalPostgres;
  let dir: string;

  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'sluice-clients-'));
    postgres = await LocalPostgres.start({ dataDir: path.join(dir, 'postgres'), fast: true });
  });

  afterAll(async () => {
    await postgres.stop();
    await rm(dir, { recursive: true, force: true });
  });

  for (const choice of PLATFORMS.filter(options.only ?? (() => true))) {
    const { client, transport, isMissing } = choice;
    describe.skipIf(isMissing)(`the official ${client} client over ${transport}`, () => {
      let world: ClientWorld | undefined;
      let platform: ClientPlatform | undefined;

      beforeAll(async () => {
        platform = await choice.open(dir);
        const database = `${client}_${transport}`;
        world = await ClientWorld.create(postgres, {
          ...options,
          dir,
          database,
          platform,
          transport,
        });
        await world.start();
      });

      afterAll(async () => {
        await world?.[Symbol.asyncDispose]();
        await platform?.[Symbol.asyncDispose]();
      });

      suite(() => {
        if (world === undefined) throw new Error('The world is there once tests run');
        return world;
      }, choice);
    });
  }
}
