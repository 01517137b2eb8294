import { ClientError } from '../../errors.ts';
import type { StreamRow } from '../streams/subscription-store.ts';

/** What an app says once for all requests of a session. */
export interface RequestOptions {
  /** Parameters of the connection, which streams can read; the service does not trust them. */
  readonly params?: Readonly<Record<string, unknown>> | undefined;
  /** For the service's log. */
  readonly appMetadata?: Readonly<Record<string, string>> | undefined;
  /** Whether streams that the service subscribes to by itself are wanted; true if left out. */
  readonly includeDefaultStreams?: boolean | undefined;
}

export interface RequestFacts {
  readonly clientId: string;
  readonly positions: readonly { readonly name: string; readonly after: string }[];
  readonly subscriptions: readonly StreamRow[];
  readonly options: RequestOptions;
}

/** The body of a request for a stream as JSON text (spec/protocol.md 2.1, spec/client.md 4.9). */
export function streamRequestBody({
  clientId,
  positions,
  subscriptions,
  options,
}: RequestFacts): string {
  const { params = {}, appMetadata, includeDefaultStreams = true } = options;
  const fixed = JSON.stringify({
    buckets: positions,
    include_checksum: true,
    raw_data: true,
    binary_data: true,
    client_id: clientId,
    parameters: params,
    app_metadata: appMetadata,
  });
  const streams = `{"include_defaults":${includeDefaultStreams},"subscriptions":${subscriptionsText(subscriptions)}}`;
  return `${fixed.slice(0, -1)},"streams":${streams}}`;
}

/** What of the request a change of subscriptions can change. Parameters are JSON text already. */
export function subscriptionsText(subscriptions: readonly StreamRow[]): string {
  const elements = subscriptions.map(
    ({ name, params, priority }) =>
      `{"stream":${JSON.stringify(name)},"parameters":${params},"override_priority":${priority ?? null}}`,
  );
  return `[${elements.join(',')}]`;
}

/** @throws ClientError `PARAMETER` for what the service would refuse */
export function checkRequestOptions({ params, appMetadata }: RequestOptions): void {
  const isObject = typeof params === 'object' && params !== null && !Array.isArray(params);
  if (params !== undefined && !isObject) {
    throw new ClientError('PARAMETER', 'params is an object');
  }
  for (const [key, value] of Object.entries(appMetadata ?? {})) {
    if (typeof value === 'string') continue;
    throw new ClientError('PARAMETER', `appMetadata.${key} is a string`);
  }
}
