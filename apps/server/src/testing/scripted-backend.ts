import type { VerifiedToken } from '@sluice/auth';
import { SyncError, type AppError, type JsonObject } from '@sluice/base';
import type { AdminBackend, HttpBackend, OpenStream, ProbeState } from '../http/backend.ts';

/** What the stream of a scripted backend gives, unless a test says otherwise. */
export const LINES = ['{"checkpoint":{}}\n', '{"checkpoint_complete":{}}\n'];

/** What the routes are given instead of storage and keys: every part can be changed by a test. */
export class ScriptedBackend implements HttpBackend {
  opened: OpenStream[] = [];
  writeCheckpointUsers: string[] = [];
  /** Answered with the id, but at least 42. */
  checkpointRequests: (readonly [user: string, id: bigint])[] = [];
  probeState: ProbeState = {
    started: true,
    ready: true,
    live: true,
    touchedAtMs: 0,
    problems: [],
  };
  stream: (open: OpenStream) => AsyncIterable<readonly Uint8Array[]> = async function* () {
    for (const line of LINES) yield [Buffer.from(line)];
  };
  writeCheckpoint = (): Promise<bigint> => Promise.resolve(7n);

  verifyUser(token: string): Promise<VerifiedToken> {
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
  requestCheckpoint(user: string, id: bigint) {
    this.checkpointRequests.push([user, id]);
    return Promise.resolve(id < 42n ? 42n : id);
  }
  probes() {
    return this.probeState;
  }
  /** What the admin routes asked for. */
  readonly asked: unknown[] = [];
  adminError: AppError | undefined;
  readonly admin: AdminBackend = {
    executeSql: (request) => this.#admin('executeSql', request),
    diagnostics: (request) => this.#admin('diagnostics', request),
    schema: () => this.#admin('schema'),
    validate: (text) => this.#admin('validate', text),
    rulesInfo: (content) => ({ valid: true, content }),
    current: async () => {
      await this.#admin('current');
      return { current: { slot_name: 's' }, next: null };
    },
    deploy: (text) => this.#admin('deploy', text),
    rollBack: () => this.#admin('rollBack'),
    reprocess: () => this.#admin('reprocess'),
    place: () => ({ id: 'default', tag: 'main' }),
    plan: async (text) => (await this.#admin('plan', text)) as never,
    status: async () => (await this.#admin('status')) as never,
  };

  #admin(name: string, input?: unknown): Promise<JsonObject> {
    if (this.adminError) return Promise.reject(this.adminError);
    this.asked.push(input === undefined ? [name] : [name, input]);
    return Promise.resolve({ slot_name: 's' });
  }
}
