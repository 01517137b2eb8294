import type { Generation, StoredConfig } from '@sluice/storage';

/** What the stored generations are for. */
export interface GenerationSurvey {
  /** Serves clients now. */
  readonly active: Generation | undefined;
  /** Whether `active` can be kept up to date; otherwise it serves what it has. */
  readonly activeIsUsable: boolean;
  /** Being filled; takes over from `active` with its first checkpoint. */
  readonly preparing: Generation | undefined;
  readonly remove: readonly Generation[];
  /** What a generation must be made for, the first that compiles; empty when none is missing. */
  readonly missing: readonly StoredConfig[];
}

/**
 * Sorts the stored generations. A preparing generation stands for the config that is wanted: it was
 * made because the active one cannot go on, or not with this config. `isUsable` is false for
 * generations that cannot be continued, because their place in the change log is lost or because the
 * compiler has changed.
 */
export function surveyGenerations(
  stored: readonly Generation[],
  isUsable: (generation: Generation) => boolean,
): GenerationSurvey {
  const active = stored.find(({ state }) => state === 'active');
  const activeIsUsable = active !== undefined && isUsable(active);
  const newest = stored.findLast(({ state }) => state === 'preparing');
  const preparing = newest !== undefined && isUsable(newest) ? newest : undefined;
  const isMissing =
    preparing === undefined && (newest !== undefined || (active && !activeIsUsable));
  const candidates = [newest?.configs.serving, active?.configs.next, active?.configs.serving];
  return {
    active,
    activeIsUsable,
    preparing,
    remove: stored.filter((generation) => generation !== active && generation !== preparing),
    missing: isMissing === true ? candidates.filter((config) => config !== undefined) : [],
  };
}

/** The config that was deployed last: what serves, or what is to serve once it is filled. */
export function wantedConfig({ active, preparing }: GenerationSurvey): StoredConfig | undefined {
  if (preparing !== undefined) return preparing.configs.serving;
  return active?.configs.next ?? active?.configs.serving;
}
