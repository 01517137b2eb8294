import type { UploadFacts } from '@sluice/write-api';

/** What the write API of a process has done so far. Can be cloned and added up. */
export interface UploadCounts {
  readonly uploads: number;
  readonly durationMs: number;
  readonly entries: UploadFacts['entries'];
}

export const NO_UPLOADS: UploadCounts = {
  uploads: 0,
  durationMs: 0,
  entries: { ok: 0, duplicate: 0, rejected: 0, conflict: 0 },
};

export function addedUploads(a: UploadCounts, b: UploadCounts): UploadCounts {
  return {
    uploads: a.uploads + b.uploads,
    durationMs: a.durationMs + b.durationMs,
    entries: {
      ok: a.entries.ok + b.entries.ok,
      duplicate: a.entries.duplicate + b.entries.duplicate,
      rejected: a.entries.rejected + b.entries.rejected,
      conflict: a.entries.conflict + b.entries.conflict,
    },
  };
}
