import { must } from '@sluice/base';

/**
 * What stands in front of the names of a definition's buckets and lookup keys: which definition, and
 * which fill, e.g. `1f3a9c2e.7#`. A fill is a set of definitions that were filled together.
 */
export function bucketPrefix(definitionHash: string, fill: number): string {
  return `${definitionHash.slice(0, 8)}.${fill}#`;
}

/** The number of the fill that a prefix belongs to. */
export function fillOf(prefix: string): number {
  return Number(must(/\.(\d+)#$/.exec(prefix)?.[1], 'a prefix that names its fill'));
}
