import { AppError, type JsonObject } from '@sluice/base';
import type { RequestContext, SyncPlan } from '@sluice/sync-config';
import { didYouMean } from './did-you-mean.ts';
import { decodeJwt } from 'jose';
import type { StreamArgument } from '../commands/tail.ts';

export interface SubjectOptions {
  readonly user?: string | undefined;
  readonly claims?: JsonObject | undefined;
  readonly token?: string | undefined;
  readonly parameters?: JsonObject | undefined;
  readonly stream?: readonly StreamArgument[] | undefined;
  /** `false` for clients that switch default streams off. */
  readonly defaults: boolean;
}

/** On whose behalf is asked. */
export interface Subject {
  readonly who: string;
  readonly request: RequestContext;
  readonly notes: readonly string[];
}

/**
 * Undefined when neither user, token nor claims are named. The signature of a token is not checked.
 *
 * @throws AppError `CLI_USAGE`
 */
export function subjectOf(options: SubjectOptions): Subject | undefined {
  const { user, token, claims } = options;
  if (user === undefined && token === undefined && claims === undefined) return undefined;
  if (user !== undefined && token !== undefined) {
    throw new AppError('CLI_USAGE', '--user and --token both say who asks', {
      remedy: 'Use one of them; --claims adds to either',
    });
  }
  const fromToken = token === undefined ? {} : payloadOf(token);
  const merged = { ...fromToken, ...(user === undefined ? {} : { sub: user }), ...claims };
  const { sub } = merged;
  return {
    who: typeof sub === 'string' || typeof sub === 'number' ? String(sub) : 'this token',
    request: {
      claims: merged,
      parameters: options.parameters ?? {},
      includeDefaults: options.defaults,
      subscriptions: (options.stream ?? []).map((stream) => ({
        ...stream,
        overridePriority: null,
      })),
    },
    notes: expiryNotes(fromToken),
  };
}

function payloadOf(token: string): JsonObject {
  try {
    return decodeJwt(token) as JsonObject;
  } catch (cause) {
    const message = 'The text after --token is not a JWT';
    throw new AppError('CLI_USAGE', message, { remedy: 'See sluice token', cause });
  }
}

function expiryNotes({ exp }: JsonObject): readonly string[] {
  const isExpired = typeof exp === 'number' && exp * 1000 < Date.now();
  return isExpired ? ['The token has expired, so the service refuses it'] : [];
}

/** @throws AppError `CLI_NOT_FOUND` for a subscription to something that is no stream. */
export function assertStreamsExist({ request }: Subject, { definitions }: SyncPlan): void {
  const names = definitions.filter(({ kind }) => kind === 'stream').map(({ name }) => name);
  for (const { stream } of request.subscriptions) {
    if (names.includes(stream)) continue;
    const remedy =
      didYouMean(stream, names) ??
      (names.length === 0
        ? 'The config has bucket definitions only'
        : `There are ${names.join(', ')}`);
    throw new AppError('CLI_NOT_FOUND', `The config has no stream ${stream}`, { remedy });
  }
}
