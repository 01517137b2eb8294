import type { RaiseNumber, SegmentFlush } from '@sluice/storage';
import type { Database } from './database.ts';
import type { LookupEntries } from './lookup-entries.ts';

export interface RaisedNumbersParts {
  readonly db: Database;
  readonly generationId: number;
  readonly flush: SegmentFlush;
  readonly lookups: LookupEntries;
  /** Told of each key whose number rose. */
  readonly onLookup: (key: string) => void;
}

interface HeldNumber {
  readonly from_op: number;
  readonly entry_values: string;
}

/**
 * Numbers that only rise, as lookup entries that belong to no row. A number that no checkpoint has
 * shown yet is overwritten, so that a first fill leaves one entry per key, however many rows raise it.
 */
export class RaisedNumbers {
  readonly #parts: RaisedNumbersParts;
  readonly #held;
  readonly #overwrite;

  constructor(parts: RaisedNumbersParts) {
    const { db } = parts;
    this.#parts = parts;
    this.#held = db.prepare<[number, string], HeldNumber>(
      `SELECT from_op, entry_values FROM lookups
       WHERE generation_id = ? AND key = ? ORDER BY from_op DESC LIMIT 1`,
    );
    this.#overwrite = db.prepare<[string, number, string, number, number]>(
      `UPDATE lookups SET entry_values = ? WHERE generation_id = ? AND key = ? AND from_op = ?
         AND from_op > coalesce((SELECT checkpoint_op FROM progress WHERE generation_id = ?), 0)`,
    );
  }

  raise({ key, value }: RaiseNumber): void {
    const { generationId, flush, lookups, onLookup } = this.#parts;
    const held = this.#held.get(generationId, key);
    if (held !== undefined && BigInt(held.entry_values) >= value) return;
    onLookup(key);
    const text = String(value);
    if (held !== undefined) {
      const place = [generationId, key, held.from_op, generationId] as const;
      if (this.#overwrite.run(text, ...place).changes > 0) return;
    }
    const op = Number(flush.reserve());
    if (held !== undefined) lookups.close(key, held.from_op, op);
    lookups.add(key, op, text);
  }
}
