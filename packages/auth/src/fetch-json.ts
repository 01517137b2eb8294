import { lookup as dnsLookup } from 'node:dns';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { text } from 'node:stream/consumers';
import { SyncError } from '@sluice/base';

export interface AddressPolicy {
  /** Whether connections to an address are refused. */
  readonly isBlocked: (address: string) => boolean;
  readonly allowIpv6: boolean;
}

export interface FetchJsonOptions extends AddressPolicy {
  /** For the whole of it, redirects included. */
  readonly timeoutMs: number;
}

const MAX_REDIRECTS = 3;
const MAX_BYTES = 1024 * 1024;

/**
 * Gets a JSON document. Addresses are checked where the connection is made, after the name was
 * resolved, so a name that changes its address in between cannot get around the check.
 *
 * The fetcher rejects with SyncError `SYNC_KEYS_IPV6_REFUSED` or `SYNC_KEYS_ADDRESS_REFUSED` (spec/protocol.md 1.5), or
 * with an Error that says what else went wrong.
 */
export function jsonFetcher(options: FetchJsonOptions): (url: string) => Promise<unknown> {
  return async (url) => {
    const signal = AbortSignal.timeout(options.timeoutMs);
    try {
      return JSON.parse(await getText(new URL(url), options, signal));
    } catch (cause) {
      if (!signal.aborted) throw cause;
      throw new Error(`no answer within ${options.timeoutMs} ms`, { cause });
    }
  };
}

async function getText(url: URL, policy: AddressPolicy, signal: AbortSignal): Promise<string> {
  let next = url;
  for (let redirects = 0; ; redirects++) {
    const response = await get(next, policy, signal);
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
    return text(bounded(response));
  }
}

function get(url: URL, policy: AddressPolicy, signal: AbortSignal): Promise<IncomingMessage> {
  // A literal address is connected to without a lookup.
  const refusal = literalRefusal(url, policy);
  if (refusal) return Promise.reject(refusal);
  const request =
    url.protocol === 'https:' ? httpsRequest : url.protocol === 'http:' ? httpRequest : undefined;
  if (!request) return Promise.reject(new Error(`${url.protocol} is not supported`));
  const headers = { Accept: 'application/json' };
  return new Promise((resolve, reject) => {
    const settings = { headers, signal, lookup: checkedLookup(policy), agent: false };
    request(url, settings, resolve).once('error', reject).end();
  });
}

/**
 * Why a URL whose host is written as an address will never be asked; undefined if it will, and for names.
 * `SYNC_KEYS_IPV6_REFUSED` or `SYNC_KEYS_ADDRESS_REFUSED`.
 */
export function literalRefusal(url: URL, policy: AddressPolicy): SyncError | undefined {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(host) === 0 ? undefined : refusalOf(host, policy);
}

function refusalOf(address: string, policy: AddressPolicy): SyncError | undefined {
  if (!policy.allowIpv6 && isIP(address) === 6) {
    return new SyncError('SYNC_KEYS_IPV6_REFUSED', `the IPv6 address ${address} is refused`);
  }
  if (policy.isBlocked(address)) {
    return new SyncError('SYNC_KEYS_ADDRESS_REFUSED', `the address ${address} is refused`);
  }
  return undefined;
}

function checkedLookup(policy: AddressPolicy): LookupFunction {
  return (hostname, settings, callback) => {
    const family = policy.allowIpv6 ? (settings.family ?? 0) : 4;
    dnsLookup(hostname, { ...settings, family, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0);
      for (const { address } of addresses) {
        const refusal = refusalOf(address, policy);
        if (refusal) return callback(refusal, '', 0);
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
