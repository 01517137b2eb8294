import type { NewGeneration } from '@sluice/storage';

/** For tests that do not care for configs. */
export const NEW_GENERATION: NewGeneration = {
  configs: { serving: { text: '', hash: '', prefixes: {}, deployedAtMs: 0 } },
  createdAtMs: 0,
};
