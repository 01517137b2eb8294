import type { StreamRequest } from '@sluice/protocol';

const MAX_LOGGED_KEYS = 20;
const MAX_LOGGED_LENGTH = 100;

/** Who a client says it is, for the log; bounded, because anybody can say anything. */
export function clientFacts(
  userAgent: string | undefined,
  { buckets, appMetadata }: StreamRequest,
): Record<string, unknown> {
  const metadata = Object.entries(appMetadata).slice(0, MAX_LOGGED_KEYS);
  return {
    userAgent: userAgent?.slice(0, MAX_LOGGED_LENGTH),
    heldBuckets: buckets.length,
    ...(metadata.length === 0
      ? {}
      : {
          appMetadata: Object.fromEntries(
            metadata.map(([name, text]) => [
              name.slice(0, MAX_LOGGED_LENGTH),
              text.slice(0, MAX_LOGGED_LENGTH),
            ]),
          ),
        }),
  };
}
