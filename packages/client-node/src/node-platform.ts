import { randomUUID } from 'node:crypto';
import { inProcessLock, systemClock, type Platform, type WebSocketLike } from '@sluice/client';
import { fileSharing } from './file-sharing.ts';
import { streamFetch } from './stream-fetch.ts';
import { openConnection, type ConnectionOptions } from './open-connection.ts';

type WebSocketConstructor = new (url: string) => object;

/** What an app may bring instead of Node's own. */
export interface NetworkModule {
  readonly fetch?: typeof fetch;
  readonly WebSocket?: WebSocketConstructor;
}

export async function importNetwork(url: string | URL | undefined): Promise<NetworkModule> {
  // Whoever names it says that it has these.
  return url === undefined ? {} : ((await import(String(url))) as NetworkModule);
}

export interface NodePlatformOptions {
  readonly file: string;
  readonly connection: Omit<ConnectionOptions, 'readonly'>;
  readonly fetch: typeof fetch | undefined;
  readonly webSocket: WebSocketConstructor | undefined;
  readonly userAgent: string | undefined;
  readonly onProblem: (problem: unknown) => void;
}

/** What a database needs of Node.js, on whichever thread it runs. */
export function nodePlatform(options: NodePlatformOptions): Platform {
  const { file, connection, onProblem } = options;
  return {
    openWriter: () => openConnection(file, connection),
    openReader: () => openConnection(file, { ...connection, readonly: true }),
    clock: systemClock,
    random: Math.random,
    newId: randomUUID,
    fetch: options.fetch ?? streamFetch,
    openSocket: socketOpener(options.webSocket),
    userAgent: options.userAgent ?? `sluice-node/${process.versions.node}`,
    uploadLock: inProcessLock(),
    sharing: fileSharing(file, onProblem),
    onProblem,
  };
}

function socketOpener(given: WebSocketConstructor | undefined) {
  const found = given ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
  if (found === undefined) return undefined;
  // Types of sockets say more of their events than is needed here.
  return (url: string) => new found(url) as WebSocketLike;
}
