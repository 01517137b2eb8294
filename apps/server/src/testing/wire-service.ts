import { staticKeys, verifyToken } from '@sluice/auth';
import { silentLogger } from '@sluice/base';
import { SyncHub, type SyncLimits } from '@sluice/sync';
import {
  FakeClock,
  scriptedConfig,
  scriptedPlan,
  ScriptedStorage,
  type ScriptedStream,
} from '@sluice/testing';
import { SignJWT, type JWTPayload } from 'jose';
import { onTestFinished } from 'vitest';
import { listenScripted } from './listen-scripted.ts';
import type { HttpServerOptions } from '../http/http-server.ts';
import { ScriptedBackend } from './scripted-backend.ts';

/** The key and the token of spec/protocol.md 11.8, and the times in it in seconds. */
const SPEC_KEY = { kty: 'oct', alg: 'HS256', kid: 'k1', k: 'c3BlYy1zaGFyZWQtc2VjcmV0' } as const;
export const SPEC_TOKEN =
  'eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0.eyJzdWIiOiJ1MSIsImF1ZCI6InBvd2Vyc3luYy1kZXYiLCJpYXQiOjE3NjcyMjU2MDAsImV4cCI6MTc2NzIyOTIwMH0.MTvrra-dloXb1UwtxDuxiemrWd1e42lNCCy8kXev7Ck';
export const ISSUED = 1_767_225_600;
export const EXPIRES = 1_767_229_200;

/** A token of that key with other claims. */
export function tokenWith(claims: object, header: object = {}): Promise<string> {
  const payload = { sub: 'u1', aud: 'powersync-dev', iat: ISSUED, exp: EXPIRES, ...claims };
  return new SignJWT(payload as JWTPayload)
    .setProtectedHeader({ alg: 'HS256', kid: 'k1', ...header })
    .sign(Buffer.from('spec-shared-secret'));
}

/** Real token checks and a real hub behind the routes; the rest of the backend is scripted. */
class WireBackend extends ScriptedBackend {
  readonly #hub: SyncHub;
  readonly #clock: FakeClock;
  readonly #storage: ScriptedStorage;
  /** The source position that write checkpoints wait for. */
  head = '';

  constructor(parts: {
    readonly hub: SyncHub;
    readonly clock: FakeClock;
    readonly storage: ScriptedStorage;
  }) {
    super();
    this.#hub = parts.hub;
    this.#clock = parts.clock;
    this.#storage = parts.storage;
    this.stream = ({ request, token, user, format, keepalive, signal }) =>
      this.#hub.open({
        request,
        claims: token.claims,
        userKey: user,
        expiresAtMs: token.expiresAtMs,
        format,
        keepalive,
        signal,
      });
  }

  override verifyUser(token: string) {
    const keys = staticKeys([{ jwk: SPEC_KEY }]);
    return verifyToken(token, { keys, audience: ['powersync-dev'], clock: this.#clock });
  }

  override createWriteCheckpoint(user: string) {
    return this.#storage.writeCheckpoints.create(user, this.head);
  }
}

export interface WireServiceOptions {
  readonly streams?: readonly ScriptedStream[];
  readonly limits?: Partial<SyncLimits>;
  readonly nowSeconds?: number;
  /** False: nothing is deployed. */
  readonly isDeployed?: boolean;
  readonly http?: Partial<HttpServerOptions>;
}

export const GENERATION = 7;

/**
 * The service on real sockets, as far as clients see it: routes, tokens and hub are the product's;
 * storage and time are the test's. Closed when the test ends.
 */
export async function startWireService(options: WireServiceOptions = {}) {
  const clock = new FakeClock((options.nowSeconds ?? ISSUED) * 1000);
  const storage = new ScriptedStorage();
  let plan = scriptedPlan(options.streams ?? []);
  if (options.isDeployed !== false) {
    storage.addActiveGeneration(GENERATION, scriptedConfig(plan, '7#'));
  }
  const hub = new SyncHub({
    storage,
    planFor: () => plan,
    limits: { minCheckpointIntervalMs: 0, ...options.limits },
    clock,
    logger: silentLogger,
    random: () => 0.5,
  });
  const backend = new WireBackend({ hub, clock, storage });
  const server = await listenScripted({
    limits: {
      maxConcurrentConnections: 20,
      maxBytesInFlight: 1 << 28,
      slowClientTimeoutMs: 60_000,
    },
    apiTokens: ['admin'],
    probes: true,
    completeDelayMs: 20,
    backend,
    ...options.http,
  });
  onTestFinished(async () => {
    await server.close(0);
    await hub[Symbol.asyncDispose]();
  });
  const deploy = (streams: readonly ScriptedStream[]): void => {
    plan = scriptedPlan(streams);
    storage.setConfigs(GENERATION, { serving: scriptedConfig(plan, '7#') });
  };
  return { clock, storage, hub, backend, server, url: server.url, deploy };
}

export type WireService = Awaited<ReturnType<typeof startWireService>>;
