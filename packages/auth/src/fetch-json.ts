import { lookup as dnsLookup } from 'node:dns';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { text } from 'node:stream/consumers';

export interface FetchJsonOptions {
  /** Whether connections to an address are refused. */
  readonly isBlocked: (address: string) => boolean;
  readonly allowIpv6: boolean;
  readonly timeoutMs: number;
}

const MAX_REDIRECTS = 3;
const MAX_BYTES = 1024 * 1024;

/**
 * Gets a JSON document. Addresses are checked where the connection is made, after the name was
 * resolved, so a name that changes its address in between cannot get around the check.
 */
export function jsonFetcher(options: FetchJsonOptions): (url: string) => Promise<unknown> {
  return async (url) => {
    const signal = AbortSignal.timeout(options.timeoutMs);
    let next = new URL(url);
    for (let redirects = 0; ; redirects++) {
      const response = await get(next, options, signal);
      const status = response.statusCode ?? 0;
      const { location } = response.headers;
      if (status >= 300 && status < 400 && location !== undefined && redirects < MAX_REDIRECTS) {
        response.resume();
        next = new URL(location, next);
        continue;
      }
      if (status !== 200) {
        response.resume();
        throw new Error(`the server answered with status ${status}`);
      }
      return JSON.parse(await text(bounded(response)));
    }
  };
}

function get(url: URL, options: FetchJsonOptions, signal: AbortSignal): Promise<IncomingMessage> {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  // A literal address is connected to without a lookup.
  if (isIP(host)) assertAllowed(host, options);
  const request =
    url.protocol === 'https:' ? httpsRequest : url.protocol === 'http:' ? httpRequest : undefined;
  if (!request) return Promise.reject(new Error(`${url.protocol} is not supported`));
  const headers = { Accept: 'application/json' };
  return new Promise((resolve, reject) => {
    const settings = { headers, signal, lookup: checkedLookup(options), agent: false };
    request(url, settings, resolve).once('error', reject).end();
  });
}

function assertAllowed(address: string, options: FetchJsonOptions): void {
  if (options.isBlocked(address)) throw new Error(`the address ${address} is refused`);
  if (!options.allowIpv6 && isIP(address) === 6) throw new Error('IPv6 addresses are refused');
}

function checkedLookup(options: FetchJsonOptions): LookupFunction {
  return (hostname, settings, callback) => {
    const family = options.allowIpv6 ? (settings.family ?? 0) : 4;
    dnsLookup(hostname, { ...settings, family, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0);
      try {
        for (const { address } of addresses) assertAllowed(address, options);
      } catch (refusal) {
        return callback(refusal as Error, '', 0);
      }
      if (settings.all) return callback(null, addresses);
      const [first] = addresses;
      callback(null, first?.address ?? '', first?.family ?? 0);
      return undefined;
    });
  };
}

async function* bounded(response: IncomingMessage): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) throw new Error(`the answer is larger than ${MAX_BYTES} bytes`);
    yield chunk;
  }
}
