/** How lines are written on the wire. */
export type StreamFormat = 'ndjson' | 'bson';

export type ContentEncoding = 'identity' | 'gzip' | 'zstd';

/** The exact `Content-Type` of each format: clients compare it for equality. */
export const CONTENT_TYPES: Readonly<Record<StreamFormat, string>> = {
  ndjson: 'application/x-ndjson',
  bson: 'application/vnd.powersync.bson-stream',
};

/**
 * Chooses the format from an `Accept` header by its qualities; equals go by how exactly they are
 * named, then by the order of the header. Never fails: NDJSON when nothing matches
 * (spec/protocol.md 2.2).
 */
export function negotiateFormat(accept: string | undefined): StreamFormat {
  const ranges = parseQualityList(accept ?? '*/*');
  const formats: readonly StreamFormat[] = ['ndjson', 'bson'];
  const matches = formats.flatMap((format) => {
    const match = bestMatch(ranges, (range) => mediaSpecificity(range, CONTENT_TYPES[format]));
    return match === undefined || match.quality === 0 ? [] : [{ format, ...match }];
  });
  matches.sort(
    (a, b) => b.quality - a.quality || b.specificity - a.specificity || a.order - b.order,
  );
  return matches[0]?.format ?? 'ndjson';
}

/**
 * Chooses the compression from an `Accept-Encoding` header. At equal quality zstd goes before gzip
 * before none; without a header, or when nothing fits, none. `supports.zstd` tells whether the
 * runtime has it.
 */
export function negotiateEncoding(
  acceptEncoding: string | undefined,
  supports: { readonly zstd: boolean },
): ContentEncoding {
  const ranges = parseQualityList(acceptEncoding ?? '');
  const candidates: readonly ContentEncoding[] = supports.zstd ? ['zstd', 'gzip'] : ['gzip'];
  const exact = (name: string) => (range: string) => (range === name ? 1 : range === '*' ? 0 : -1);
  let chosen: ContentEncoding = 'identity';
  // `*` says nothing of how much plain text is wanted, so only an explicit mention counts.
  let quality = ranges.find((range) => range.value === 'identity')?.quality ?? 0;
  for (const name of candidates.toReversed()) {
    const match = bestMatch(ranges, exact(name));
    if (match === undefined || match.quality === 0 || match.quality < quality) continue;
    chosen = name;
    quality = match.quality;
  }
  return chosen;
}

interface QualityRange {
  readonly value: string;
  /** 0..1; 0 means "not this". */
  readonly quality: number;
  readonly order: number;
}

function parseQualityList(header: string): QualityRange[] {
  return header.split(',').flatMap((part, order) => {
    const [value = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    if (value === '') return [];
    const weight = parameters.find((text) => text.startsWith('q='))?.slice(2) ?? '1';
    const quality = Number.parseFloat(weight);
    return [{ value, quality: Number.isNaN(quality) ? 0 : Math.min(1, quality), order }];
  });
}

interface RangeMatch {
  readonly quality: number;
  readonly specificity: number;
  readonly order: number;
}

/** The range that names the candidate most exactly; `specificity` gives -1 for "does not match". */
function bestMatch(
  ranges: readonly QualityRange[],
  specificity: (range: string) => number,
): RangeMatch | undefined {
  let best: RangeMatch | undefined;
  for (const { value, quality, order } of ranges) {
    const exactness = specificity(value);
    if (exactness < 0 || (best !== undefined && exactness <= best.specificity)) continue;
    best = { quality, specificity: exactness, order };
  }
  return best;
}

function mediaSpecificity(range: string, type: string): number {
  if (range === type) return 2;
  if (range === '*/*' || range === '*') return 0;
  return range.endsWith('/*') && type.startsWith(range.slice(0, -1)) ? 1 : -1;
}
