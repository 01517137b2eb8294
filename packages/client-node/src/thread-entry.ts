import { workerData } from 'node:worker_threads';
import {
  DatabaseEngine,
  DatabaseHost,
  portChannel,
  refuseApp,
  serveReader,
  systemClock,
} from '@sluice/client';
import type { HostInput, ThreadInput } from './database-thread.ts';
import { importNetwork, nodePlatform } from './node-platform.ts';
import { openConnection } from './open-connection.ts';

/** Entry of the threads of a database: the one that writes and syncs, and those that only read. */
const { port, file, connection, host: hostInput } = workerData as ThreadInput;
const channel = portChannel(port);

/** Until somebody is there to be told. */
const early: unknown[] = [];
let host: DatabaseHost | undefined;
const onProblem = (problem: unknown) => {
  if (host === undefined) early.push(problem);
  else host.report(problem);
};

async function serveDatabase({ schema, userAgent, networkModule }: HostInput): Promise<void> {
  try {
    const { fetch: ownFetch, WebSocket: webSocket } = await importNetwork(networkModule);
    const options = { file, connection, fetch: ownFetch, webSocket, userAgent, onProblem };
    const engine = DatabaseEngine.open({ schema, platform: nodePlatform(options) });
    // Whoever has a database in a thread of its own is its only app.
    host = new DatabaseHost(engine, {
      clock: systemClock,
      closes: 'database',
      maxSilenceMs: Infinity,
    });
    channel.onClose(() => engine.close().catch(onProblem));
    host.serve(channel);
  } catch (error) {
    refuseApp(channel, error);
  }
}

if (hostInput !== undefined) await serveDatabase(hostInput);
else {
  const openReader = () => openConnection(file, { ...connection, readonly: true });
  serveReader(openReader, channel, { clock: systemClock, onProblem });
}
