import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { openConnection } from '@sluice/client-node';
import { systemClock } from '../clock.ts';
import { DatabaseEngine } from '../facade/database-engine.ts';
import { InThreadDatabase } from '../facade/in-thread-database.ts';
import type { Platform } from '../facade/platform.ts';
import type { SluiceDatabase } from '../facade/sluice-database.ts';
import { DatabaseHost } from '../remote/database-host.ts';
import { portChannel, type Channel } from '../remote/channel.ts';
import { RemoteDatabase } from '../remote/remote-database.ts';
import { compileSchema } from '../schema/compile-schema.ts';
import type { AnySchema } from '../schema/schema.ts';
import { inProcessLock } from '../upload/upload-lock.ts';

export interface AppDatabaseSettings {
  readonly file: string;
  readonly schema: AnySchema;
  readonly fetch: typeof fetch;
  readonly openSocket?: Platform['openSocket'];
  readonly onProblem: (problem: unknown) => void;
  readonly newId?: Platform['newId'];
  readonly userAgent?: string;
}

function filePlatform(settings: AppDatabaseSettings): Platform {
  const { file, onProblem } = settings;
  return {
    openWriter: () => openConnection(file),
    openReader: () => openConnection(file, { readonly: true }),
    clock: systemClock,
    random: Math.random,
    newId: settings.newId ?? randomUUID,
    fetch: settings.fetch,
    openSocket: settings.openSocket,
    userAgent: settings.userAgent ?? 'test',
    uploadLock: inProcessLock(),
    callContext: new AsyncLocalStorage(),
    onProblem,
  };
}

/** Two channels that are joined, over ports of this thread. */
export function joinedChannels(): readonly [Channel, Channel] {
  const { port1, port2 } = new MessageChannel();
  return [portChannel(port1), portChannel(port2)];
}

export function openEngine(settings: AppDatabaseSettings): DatabaseEngine {
  return DatabaseEngine.open({
    schema: compileSchema(settings.schema),
    platform: filePlatform(settings),
  });
}

/** A way to open a database for an app, wherever it runs then. */
export interface AppDatabaseKind {
  readonly name: string;
  readonly open: (settings: AppDatabaseSettings) => Promise<SluiceDatabase>;
}

export const APP_DATABASES: readonly AppDatabaseKind[] = [
  {
    name: 'in the thread of the app',
    open: (settings) =>
      InThreadDatabase.open({ schema: settings.schema, platform: filePlatform(settings) }),
  },
  {
    name: 'behind a channel',
    open: (settings) => {
      const { onProblem } = settings;
      const engine = openEngine(settings);
      const [theirs, ours] = joinedChannels();
      new DatabaseHost(engine, { clock: systemClock, closes: 'database' }).serve(theirs);
      const callContext = new AsyncLocalStorage();
      const { integerMode } = settings.schema;
      const app = { clock: systemClock, newId: randomUUID, callContext, integerMode, onProblem };
      return RemoteDatabase.open(ours, app);
    },
  },
];
