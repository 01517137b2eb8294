import { timingSafeEqual, createHash } from 'node:crypto';
import { parseAuthorization } from '@sluice/auth';
import { AppError } from '@sluice/base';

/**
 * Lets an admin request pass whose token is one of `tokens` exactly (spec/protocol.md 7.3).
 *
 * @throws AppError `API_TOKEN_INVALID`; the reason is not disclosed.
 */
export function requireApiToken(header: string | undefined, tokens: readonly string[]): void {
  const given = parseAuthorization(header);
  // All are compared, in constant time, so that timing tells nothing of any of them.
  const matches = tokens.filter((token) => given !== undefined && equalTexts(token, given));
  if (matches.length === 0) {
    throw new AppError('API_TOKEN_INVALID', 'The API token is missing or not accepted');
  }
}

function equalTexts(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
