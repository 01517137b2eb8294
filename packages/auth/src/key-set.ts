import type { AppError } from '@sluice/base';
import type { PublicOrSharedKey } from './json-web-key.ts';

/** A key, and what it may override of the rules for tokens. */
export interface VerificationKey {
  readonly jwk: PublicOrSharedKey;
  /** Replaces `client_auth.audience`. */
  readonly audience?: readonly string[] | undefined;
  /** Replaces the limit of 24 hours. */
  readonly maxLifetimeSeconds?: number | undefined;
}

export interface KeyLookup {
  readonly keys: readonly VerificationKey[];
  /** The first failure of a source that had to be left out. */
  readonly error?: AppError | undefined;
}

/** Where keys come from (spec/protocol.md 7.2). */
export interface KeySource {
  /** Never rejects: a source that fails says so in `error`. */
  lookup(): Promise<KeyLookup>;
  /** A token named a key that is not here: look for newer keys, for later requests. */
  refreshSoon(): void;
}

export function staticKeys(keys: readonly VerificationKey[]): KeySource {
  return { lookup: () => Promise.resolve({ keys }), refreshSoon: () => {} };
}

/** All keys of all sources, in the order of the sources. */
export function combineKeySources(sources: readonly KeySource[]): KeySource {
  return {
    async lookup() {
      const found = await Promise.all(sources.map((source) => source.lookup()));
      return {
        keys: found.flatMap(({ keys }) => keys),
        error: found.find(({ error }) => error !== undefined)?.error,
      };
    },
    refreshSoon() {
      for (const source of sources) source.refreshSoon();
    },
  };
}
