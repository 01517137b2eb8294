import { AppError } from '@sluice/base';
import type { JWK } from 'jose';
import { z } from 'zod';
import { KeyRing } from './key-ring.ts';
import type { Scheduled } from './key-schedule.ts';
import { invalidKeys, signingKey } from './token-key.ts';

/** A key as it stands in the file. */
export interface StoredKey extends Scheduled {
  readonly createdAtMs: number;
  /** With its private members. */
  readonly jwk: JWK;
}

const time = z.iso.datetime({ offset: true });
const FILE = z.object({
  version: z.literal(1),
  keys: z
    .array(z.object({ created_at: time, signs_from: time, key: z.looseObject({}) }))
    .min(1)
    .max(100),
});

/**
 * `{"version": 1, "keys": [{"created_at", "signs_from", "key": {private JWK}}]}`
 *
 * @throws AppError `TOKENS_KEYS_INVALID`, which names the place and quotes nothing.
 */
export function parseKeyFile(text: string): readonly StoredKey[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The message of JSON.parse quotes the text, which is secret.
    throw new AppError('TOKENS_KEYS_INVALID', 'The file of the keys is not JSON');
  }
  const parsed = FILE.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const place = issue?.path.join('.') || 'its top level';
    const message = `The file of the keys has a wrong form at ${place}: ${issue?.message}`;
    throw new AppError('TOKENS_KEYS_INVALID', message);
  }
  return parsed.data.keys.map((stored) => ({
    createdAtMs: Date.parse(stored.created_at),
    signsFromMs: Date.parse(stored.signs_from),
    jwk: stored.key as JWK,
  }));
}

export function formatKeyFile(keys: readonly StoredKey[]): string {
  const entries = keys.map(({ createdAtMs, signsFromMs, jwk }) => ({
    created_at: new Date(createdAtMs).toISOString(),
    signs_from: new Date(signsFromMs).toISOString(),
    key: jwk,
  }));
  return `${JSON.stringify({ version: 1, keys: entries }, null, 2)}\n`;
}

/** @throws AppError `TOKENS_KEYS_INVALID`. */
export async function ringOf(stored: readonly StoredKey[]): Promise<KeyRing> {
  const keys = await Promise.all(
    stored.map(({ jwk, signsFromMs }) => signingKey(jwk, signsFromMs)),
  );
  if (new Set(keys.map(({ kid }) => kid)).size < keys.length) {
    throw invalidKeys('has the kid of another one');
  }
  return new KeyRing(keys);
}
