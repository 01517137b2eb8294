import { closest } from '@sluice/sync-config';

/** `Did you mean ...?` for a misspelt name, or undefined when nothing is near. */
export function didYouMean(written: string, known: Iterable<string>): string | undefined {
  const name = closest(written, known);
  return name === undefined ? undefined : `Did you mean ${name}?`;
}
