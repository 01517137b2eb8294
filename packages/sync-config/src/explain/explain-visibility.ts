import type {
  BucketResolution,
  BucketVisibility,
  DefinitionExplanation,
  ParticipationExplanation,
  RequestExplanation,
  ResolutionPart,
  RowExplanation,
  RowPlacement,
  PlacedBucket,
  VisibilityExplanation,
  VisibilityReason,
} from './explanation.ts';

/** Puts both sides together: for each bucket that the row is in, whether the request has it. */
export function explainVisibility(
  row: RowExplanation,
  request: RequestExplanation,
): VisibilityExplanation {
  const buckets = row.placements.flatMap((placement) =>
    placement.buckets.map((bucket) => explainBucket(placement, bucket, request)),
  );
  return { isVisible: buckets.some(({ subscriptions }) => subscriptions.length > 0), buckets };
}

function explainBucket(
  placement: RowPlacement,
  bucket: PlacedBucket,
  request: RequestExplanation,
): BucketVisibility {
  const { definition, objectType } = placement;
  const had = request.resolved?.buckets.find(({ name }) => name === bucket.name);
  const subscriptions = had?.subscriptions ?? [];
  const whyNot = had === undefined ? whyNotHad(placement, bucket, request) : [];
  return { ...bucket, definition, objectType, subscriptions, whyNot };
}

function whyNotHad(
  { definition, family }: RowPlacement,
  bucket: PlacedBucket,
  { definitions, refusal }: RequestExplanation,
): readonly VisibilityReason[] {
  if (refusal !== undefined) return [{ kind: 'refused', ...refusal }];
  const explained = definitions.find(({ name }) => name === definition);
  if (explained === undefined) return [];
  return reasonsOf(explained, family, bucket);
}

function reasonsOf(
  { absence, participations }: DefinitionExplanation,
  family: string,
  bucket: PlacedBucket,
): readonly VisibilityReason[] {
  if (absence !== undefined) return [{ kind: 'absent', absence }];
  return participations.flatMap((participation) => {
    const { error, reason } = participation;
    if (error !== undefined) return [{ kind: 'error' as const, reason, message: error }];
    return participation.resolutions
      .filter((resolution) => resolution.family === family)
      .flatMap((resolution) => missOf(resolution, bucket, participation));
  });
}

/** Where the way from the request ends before the bucket. */
function missOf(
  { failed, parts }: BucketResolution,
  bucket: PlacedBucket,
  { reason }: ParticipationExplanation,
): readonly VisibilityReason[] {
  if (failed.length > 0) {
    return failed.map((condition) => ({ kind: 'request filter', reason, condition }));
  }
  const empty = parts.find(({ isEmpty }) => isEmpty);
  if (empty !== undefined) return [{ kind: 'nothing found', reason, part: empty }];
  const others = parts.flatMap((part) => otherValues(part, bucket, reason));
  return others.length > 0 ? others : [{ kind: 'other combinations', reason, needed: bucket.keys }];
}

function otherValues(
  part: ResolutionPart,
  { keys }: PlacedBucket,
  reason: ParticipationExplanation['reason'],
): readonly VisibilityReason[] {
  return part.keys.flatMap((found): VisibilityReason[] => {
    const needed = keys[found.position];
    if (needed === undefined || found.values.includes(needed.value)) return [];
    return [{ kind: 'other values', reason, needed, found, part }];
  });
}
