import type { Discarded } from '@sluice/storage';
import type { GenerationContent } from './memory-data.ts';

/** Takes buckets, lookups and rows out of a generation as though they had never been there. */
export function discardFrom(content: GenerationContent, { prefixes, tables }: Discarded): void {
  const isDiscarded = (name: string) => prefixes.some((prefix) => name.startsWith(prefix));
  for (const names of [content.buckets, content.changedBuckets, content.changedLookups]) {
    for (const name of names.keys()) if (isDiscarded(name)) names.delete(name);
  }
  const kept = content.lookups.filter((entry) => !isDiscarded(entry.key));
  content.lookups.splice(0, content.lookups.length, ...kept);
  for (const [name, row] of content.rows) {
    if (tables.some((id) => name.startsWith(`${id}/`))) content.rows.delete(name);
    row.outputs = row.outputs.filter(({ bucket }) => !isDiscarded(bucket));
    row.lookups = row.lookups.filter(({ key }) => !isDiscarded(key));
  }
}
