import type { RowOutput } from '@sluice/model';
import type { Discarded, RowChange } from '../contract.ts';

/**
 * What buckets should hold, computed from the rows alone without any operations: the oracle of
 * the random histories.
 */
export class SourceModel {
  /** Outputs by `<table>/<key>`; undefined for a tombstone. */
  #rows = new Map<string, readonly RowOutput[] | undefined>();

  apply(change: RowChange): void {
    switch (change.kind) {
      case 'put': {
        const name = `${change.tableId}/${change.key}`;
        if (change.ifAbsent && this.#rows.has(name)) return;
        this.#rows.set(name, change.row.outputs);
        return;
      }
      case 'delete': {
        const name = `${change.tableId}/${change.key}`;
        if (change.tombstone) this.#rows.set(name, undefined);
        else this.#rows.delete(name);
        return;
      }
      case 'truncate':
        return this.#deleteWhere((name) => name.startsWith(`${change.tableId}/`));
      case 'drop-tombstones':
        return this.#deleteWhere(
          (name, outputs) => name.startsWith(`${change.tableId}/`) && outputs === undefined,
        );
      case 'add-copy':
      case 'remove-copy':
      case 'raise':
        throw new Error('Copies and numbers are tested apart');
    }
  }

  discard({ prefixes, tables }: Discarded): void {
    const stays = (bucket: string) => !prefixes.some((prefix) => bucket.startsWith(prefix));
    for (const [name, outputs] of this.#rows) {
      const kept = outputs?.map((one) => ({ ...one, buckets: one.buckets.filter(stays) }));
      this.#rows.set(name, kept);
    }
    for (const id of tables) this.#deleteWhere((name) => name.startsWith(`${id}/`));
  }

  /** `type/id=data` of each source row in the bucket, sorted. */
  contentOf(bucket: string): readonly string[] {
    const content: string[] = [];
    for (const outputs of this.#rows.values()) {
      const byIdentity = new Map<string, string>();
      for (const { objectType, objectId, data, buckets } of outputs ?? []) {
        if (buckets.includes(bucket)) byIdentity.set(`${objectType}/${objectId}`, data);
      }
      for (const [identity, data] of byIdentity) content.push(`${identity}=${data}`);
    }
    return content.toSorted();
  }

  #deleteWhere(test: (name: string, outputs: readonly RowOutput[] | undefined) => boolean): void {
    for (const [name, outputs] of this.#rows) if (test(name, outputs)) this.#rows.delete(name);
  }
}
