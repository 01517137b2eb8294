import { findChromium } from '../../../tools/test/find-chromium.mjs';
import { nodePlatform } from './node-client.ts';
import type { ClientPlatform, Transport } from './test-client.ts';
import { webPlatform } from './web-client.ts';

export interface PlatformChoice {
  /** As in the titles of tests and in database names. */
  readonly client: 'node' | 'web';
  readonly transport: Transport;
  readonly isMissing: boolean;
  /** `dir` is for the files of clients that have any. */
  readonly open: (dir: string) => Promise<ClientPlatform>;
}

/** Without a browser the web client is left out, except where CI says that everything must run. */
const IS_BROWSER_MISSING = findChromium() === undefined && process.env['CI'] === undefined;

/** The official clients over each transport; the web client also with each kind of storage. */
export const PLATFORMS: readonly PlatformChoice[] = [
  node('http'),
  node('websocket'),
  web('http', 'IDBBatchAtomicVFS'),
  web('websocket', 'OPFSCoopSyncVFS'),
];

function node(transport: Transport): PlatformChoice {
  return { client: 'node', transport, isMissing: false, open: async (dir) => nodePlatform(dir) };
}

function web(transport: Transport, storage: Parameters<typeof webPlatform>[0]): PlatformChoice {
  return {
    client: 'web',
    transport,
    isMissing: IS_BROWSER_MISSING,
    open: () => webPlatform(storage),
  };
}
