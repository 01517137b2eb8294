import type { Generation } from '@sluice/storage';

/** Which generations to run, make and remove, given what is stored and what is wanted. */
export interface GenerationChoice {
  /** Serves clients now and must be kept up to date. */
  readonly active: Generation | undefined;
  /** Being filled; takes over from `active` with its first checkpoint. */
  readonly preparing: Generation | undefined;
  /** Whether a new generation must be created for the wanted config. */
  readonly create: boolean;
  readonly remove: readonly Generation[];
}

/**
 * The active generation goes on until another one with the wanted config is complete. `unusable`
 * holds generations whose place in the change log is lost: they serve what they have, but cannot
 * be continued.
 */
export function chooseGenerations(
  stored: readonly Generation[],
  wantedHash: string,
  unusable: ReadonlySet<number>,
): GenerationChoice {
  const active = stored.find((generation) => generation.state === 'active');
  const activeIsWanted =
    active !== undefined && active.configHash === wantedHash && !unusable.has(active.id);
  const preparing = activeIsWanted
    ? undefined
    : stored.findLast(
        (generation) =>
          generation.state === 'preparing' &&
          generation.configHash === wantedHash &&
          !unusable.has(generation.id),
      );
  return {
    active,
    preparing,
    create: !activeIsWanted && preparing === undefined,
    remove: stored.filter((generation) => generation !== active && generation !== preparing),
  };
}
