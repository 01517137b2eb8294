import type { DefinitionInfo, FilledPart } from '../contract.ts';

/** What deploying a sync config changes, definition by definition. */
export interface DefinitionChanges<D extends FilledPart = DefinitionInfo> {
  /** Their buckets stay, and clients keep what they have. */
  readonly kept: readonly D[];
  /** Not there before under any hash of the same name. */
  readonly added: readonly D[];
  /** There before under the same name, with other content: filled anew. */
  readonly changed: readonly D[];
  /** No longer there; those that `changed` replaces are not listed. */
  readonly dropped: readonly D[];
}

/** Compares the definitions of two configs by hash. Each list is in config order. */
export function compareDefinitions<D extends FilledPart>(
  before: readonly D[],
  after: readonly D[],
): DefinitionChanges<D> {
  const hashes = new Set(before.map(({ hash }) => hash));
  const namesBefore = new Set(before.map(({ name }) => name));
  const namesAfter = new Set(after.map(({ name }) => name));
  const filled = after.filter(({ hash }) => !hashes.has(hash));
  return {
    kept: after.filter(({ hash }) => hashes.has(hash)),
    added: filled.filter(({ name }) => !namesBefore.has(name)),
    changed: filled.filter(({ name }) => namesBefore.has(name)),
    dropped: before.filter(({ name }) => !namesAfter.has(name)),
  };
}
