import { BlockList, isIP } from 'node:net';

/** Addresses that mean this machine or a private network (RFC 1918, 4193, 3927, 6598 and others). */
const LOCAL_RANGES = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
  'ff00::/8',
] as const;

export interface CidrRange {
  readonly address: string;
  readonly prefixBits: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** `10.0.0.0/8`, `::1` (a single address); undefined when the text is neither. */
export function parseCidrRange(text: string): CidrRange | undefined {
  const [address = '', prefix, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return undefined;
  const maxBits = version === 4 ? 32 : 128;
  const prefixBits = prefix === undefined ? maxBits : Number(prefix);
  if (prefix === '' || !Number.isInteger(prefixBits)) return undefined;
  if (prefixBits < 0 || prefixBits > maxBits) return undefined;
  return { address, prefixBits, family: version === 4 ? 'ipv4' : 'ipv6' };
}

/**
 * Says whether an address lies in refused ranges. `local` among them stands for all local and
 * private ranges. IPv4 addresses written as IPv6 (`::ffff:10.0.0.1`) count as IPv4.
 */
export function addressFilter(ranges: readonly string[]): (address: string) => boolean {
  const blocked = new BlockList();
  const texts = ranges.flatMap((range) => (range === 'local' ? LOCAL_RANGES : [range]));
  for (const text of texts) {
    const range = parseCidrRange(text);
    if (range) blocked.addSubnet(range.address, range.prefixBits, range.family);
  }
  return (address) => {
    const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
    return blocked.check(mapped, isIP(mapped) === 6 ? 'ipv6' : 'ipv4');
  };
}
