import type { ConcernedSessions } from '@sluice/sync';

/** What several workers counted for the same plan, as if one had counted. */
export function summedSessions(counts: readonly ConcernedSessions[]): ConcernedSessions {
  const [first] = counts;
  const sum = (read: (counted: ConcernedSessions) => number) =>
    counts.reduce((total, counted) => total + read(counted), 0);
  return {
    sessions: sum(({ sessions }) => sessions),
    asked: sum(({ asked }) => asked),
    refused: sum(({ refused }) => refused),
    definitions: (first?.definitions ?? []).map((use, index) => ({
      ...use,
      takePart: sum((counted) => at(counted, index, 'takePart')),
      withBuckets: sum((counted) => at(counted, index, 'withBuckets')),
      undecided: sum((counted) => at(counted, index, 'undecided')),
    })),
  };
}

function at(
  { definitions }: ConcernedSessions,
  index: number,
  name: 'takePart' | 'withBuckets' | 'undecided',
): number {
  return definitions[index]?.[name] ?? 0;
}
