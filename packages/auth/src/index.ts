export { parseAuthorization, requireToken } from './authorization-header.ts';
export { jsonFetcher, literalRefusal, type AddressPolicy } from './fetch-json.ts';
export { addressFilter, parseCidrRange } from './ip-ranges.ts';
export { jsonWebKeyProblem, type PublicOrSharedKey } from './json-web-key.ts';
export {
  combineKeySources,
  staticKeys,
  type KeyLookup,
  type KeySource,
  type VerificationKey,
} from './key-set.ts';
export { RemoteKeys, type RemoteKeysOptions } from './remote-keys.ts';
export { subjectText } from './subject-text.ts';
export { verifyToken, type TokenVerifierOptions, type VerifiedToken } from './verify-token.ts';
