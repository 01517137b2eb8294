import { SyncError, type JsonObject } from '@sluice/base';
import type { HttpBackend, OpenStream, ProbeState } from '../http/backend.ts';

/** What the stream of a scripted backend gives, unless a test says otherwise. */
export const LINES = ['{"checkpoint":{}}\n', '{"checkpoint_complete":{}}\n'];

/** What the routes are given instead of storage and keys: every part can be changed by a test. */
export class ScriptedBackend implements HttpBackend {
  opened: OpenStream[] = [];
  writeCheckpointUsers: string[] = [];
  probeState: ProbeState = { started: true, ready: true, live: true, touchedAtMs: 0 };
  stream: (open: OpenStream) => AsyncIterable<readonly Uint8Array[]> = async function* () {
    for (const line of LINES) yield [Buffer.from(line)];
  };
  writeCheckpoint = (): Promise<bigint> => Promise.resolve(7n);

  verifyUser(token: string) {
    if (token !== 'good') {
      return Promise.reject(new SyncError('SYNC_TOKEN_EXPIRED', 'The token has expired'));
    }
    return Promise.resolve({ claims: { sub: 'u1' }, expiresAtMs: 1e15 });
  }
  openStream(open: OpenStream) {
    this.opened.push(open);
    return this.stream(open);
  }
  createWriteCheckpoint(user: string) {
    this.writeCheckpointUsers.push(user);
    return this.writeCheckpoint();
  }
  probes() {
    return this.probeState;
  }
  readonly admin = {
    diagnostics: (options: { readonly withContent: boolean }) =>
      Promise.resolve({ connections: [], withContent: options.withContent }),
    schema: () => Promise.resolve({ connections: [] }),
    validate: (content: string) => Promise.resolve({ content }),
    rulesInfo: (content: string): JsonObject => ({ valid: true, content }),
    current: () => Promise.resolve({ slot_name: 's' }),
  };
}
