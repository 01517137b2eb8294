import type { Clock } from '@sluice/base';
import type { Route } from '../http/route.ts';
import type { KeyRings } from './keys/key-ring.ts';

/** Rotation counts on nobody's holding on to the keys for longer than `PUBLISHED_BEFORE_SIGNING_SECONDS`. */
const CACHE_SECONDS = 300;

/** The keys whose tokens are accepted, for whoever else verifies them (RFC 7517). */
export function jwksRoutes(rings: KeyRings, clock: Clock): readonly Route[] {
  const handle = async (): Promise<Response> => {
    const keys = (await rings.current()).accepted(clock.now()).map(({ publicJwk }) => publicJwk);
    return new Response(JSON.stringify({ keys }), {
      headers: {
        'content-type': 'application/json',
        'cache-control': `public, max-age=${CACHE_SECONDS}`,
      },
    });
  };
  return ['/.well-known/jwks.json', '/jwks'].map((path) => ({ method: 'GET', path, handle }));
}
