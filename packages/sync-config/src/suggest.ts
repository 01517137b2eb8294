import type { Fix, Span } from './diagnostics.ts';

/**
 * The known name that was probably meant, or undefined when nothing is near. Case, underscores and
 * plural endings count for little, a letter for more.
 */
export function closest(written: string, known: Iterable<string>): string | undefined {
  const wanted = written.toLowerCase();
  const loose = looseForm(written);
  let best: string | undefined;
  // Of a short name everything is near, so there nothing counts but case and endings.
  let bestDistance = Math.min(Math.max(1, Math.floor(written.length / 3)) + 1, written.length);
  for (const name of known) {
    if (name === written) continue;
    const distance = distanceOf(name, wanted, loose, bestDistance);
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** `Did you mean ...` for a misspelt name. `write` says how the name is written in the text. */
export function didYouMean(
  span: Span,
  written: string,
  known: Iterable<string>,
  write: (name: string) => string = String,
): Fix | undefined {
  const name = closest(written, known);
  if (name === undefined) return undefined;
  const text = write(name);
  return { text: `Did you mean ${text}?`, edit: { start: span.start, end: span.end, text } };
}

function distanceOf(name: string, wanted: string, loose: string, limit: number): number {
  const candidate = name.toLowerCase();
  if (candidate === wanted) return 0.1;
  if (looseForm(name) === loose) return 0.5;
  return editDistance(wanted, candidate, limit);
}

/** `listId`, `list_id` and `lists_ids` alike. */
function looseForm(name: string): string {
  return name
    .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[_\s-]+/)
    .map((word) =>
      word
        .replace(/ies$/, 'y')
        .replace(/(?<=[sxz]|[cs]h)es$/, '')
        .replace(/s$/, ''),
    )
    .join('');
}

/** Insertions, deletions, replacements and swaps of neighbours between two words, up to `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let beforePrevious: readonly number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = isSwap ? (beforePrevious[j - 2] ?? 0) + 1 : limit;
      current.push(Math.min(replace, swap, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] ?? limit;
}
