/**
 * How often what sessions share saved work, since the hub began. Plain numbers of one flat object, so
 * that those of several processes can be added up.
 */
export interface CacheCounts {
  /** Lookup keys whose entries another session had asked for at the same checkpoint. */
  lookupHits: number;
  lookupMisses: number;
  /** Reads of operations that another session was making already, and those made. */
  readsShared: number;
  readsMade: number;
  /** Lines that another session was sent before, and those built; not checkpoint lines of one session. */
  linesShared: number;
  linesBuilt: number;
}

export function newCacheCounts(): CacheCounts {
  return {
    lookupHits: 0,
    lookupMisses: 0,
    readsShared: 0,
    readsMade: 0,
    linesShared: 0,
    linesBuilt: 0,
  };
}
