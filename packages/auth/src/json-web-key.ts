/** A key that verifies, as in RFC 7517: public, or (`oct`) a shared secret. Its form was checked. */
export interface PublicOrSharedKey {
  readonly kty: 'RSA' | 'oct' | 'OKP' | 'EC';
  readonly kid?: string | undefined;
  readonly alg?: string | undefined;
  readonly [member: string]: unknown;
}

/** Only these are accepted: no PS*, no `none` (spec/protocol.md 7.1.1). */
// prettier-ignore
export const ALGORITHMS = [
  'HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'EdDSA',
] as const;

const CURVE_ALGORITHMS: Readonly<Record<string, string>> = {
  'P-256': 'ES256',
  'P-384': 'ES384',
  'P-521': 'ES512',
};

/** Whether a key may verify tokens of an algorithm: by its `alg`, or lacking one by its family. */
export function keyFitsAlgorithm(key: PublicOrSharedKey, algorithm: string): boolean {
  if (key.alg !== undefined && key.alg !== algorithm) return false;
  switch (key.kty) {
    case 'RSA':
      return algorithm.startsWith('RS');
    case 'oct':
      return algorithm.startsWith('HS');
    case 'OKP':
      return algorithm === 'EdDSA';
    case 'EC':
      return CURVE_ALGORITHMS[String(key['crv'])] === algorithm;
  }
}

/** What is wrong with a static key (spec/protocol.md 7.2), without quoting it. */
export function jsonWebKeyProblem(
  key: Readonly<Record<string, unknown>>,
): { readonly member: string; readonly message: string } | undefined {
  switch (key['kty']) {
    case 'RSA':
      return missing(key, ['kid', 'n', 'e']) ?? wrongAlg(key, ['RS256', 'RS384', 'RS512']);
    case 'oct':
      return (
        missing(key, ['alg', 'k']) ??
        wrongAlg(key, ['HS256', 'HS384', 'HS512']) ??
        notBase64Url(key)
      );
    case 'EC':
      return (
        missing(key, ['crv', 'x', 'y']) ??
        wrongCurve(key, Object.keys(CURVE_ALGORITHMS)) ??
        wrongAlg(key, [CURVE_ALGORITHMS[String(key['crv'])] ?? ''])
      );
    case 'OKP':
      return (
        missing(key, ['crv', 'x']) ??
        wrongCurve(key, ['Ed25519', 'Ed448']) ??
        wrongAlg(key, ['EdDSA'])
      );
    default:
      return undefined;
  }
}

function missing(key: Readonly<Record<string, unknown>>, members: readonly string[]) {
  const member = members.find((name) => key[name] === undefined);
  return member === undefined
    ? undefined
    : { member, message: `is required for keys with kty ${String(key['kty'])}` };
}

function wrongAlg(key: Readonly<Record<string, unknown>>, algorithms: readonly string[]) {
  const alg = key['alg'];
  if (alg === undefined || (typeof alg === 'string' && algorithms.includes(alg))) return undefined;
  return { member: 'alg', message: `must be ${algorithms.join(', ')} for this key` };
}

function wrongCurve(key: Readonly<Record<string, unknown>>, curves: readonly string[]) {
  const curve = key['crv'];
  if (typeof curve === 'string' && curves.includes(curve)) return undefined;
  return { member: 'crv', message: `must be one of ${curves.join(', ')}` };
}

function notBase64Url(key: Readonly<Record<string, unknown>>) {
  if (typeof key['k'] === 'string' && /^[A-Za-z0-9_-]+={0,2}$/.test(key['k'])) return undefined;
  return { member: 'k', message: 'must be the secret in base64url' };
}
