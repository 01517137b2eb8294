import { ByteReader } from './byte-writer.ts';

/** Offsets within blobs are below this, so that a place is one exact number. */
const MAX_BLOB_BYTES = 2 ** 32;

/** Bytes that a remembered key takes besides its characters: string, entry of the map, number. */
const KEY_BYTES = 80;
/** And a blob besides its content. */
const BLOB_BYTES = 200;

/** Where in a blob the length of a row's state is; the state follows. */
export interface StatePlace {
  readonly tableId: number;
  readonly key: string;
  readonly offset: number;
}

/** A state as bytes; none for a row that is gone. */
export type RecentState = readonly [tableId: number, key: string, state: Buffer];

/** A run of states as the log has them, with an index in memory; the newest of a row counts. */
export class RecentStates {
  readonly #tables = new Map<number, Map<string, number>>();
  readonly #blobs: Buffer[] = [];
  #rows = 0;
  #keyBytes = 0;
  #blobBytes = 0;
  #lastSeq = 0;

  get rows(): number {
    return this.#rows;
  }
  get isEmpty(): boolean {
    return this.#blobs.length === 0;
  }
  /** About how much memory it takes. */
  get bytes(): number {
    return this.#keyBytes + this.#blobBytes;
  }
  /** Number of the last blob. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Takes over the blob. `places` says where in it the state of each row is. */
  add(seq: number, blob: Buffer, places: Iterable<StatePlace>): void {
    this.#lastSeq = seq;
    const base = this.#blobs.push(blob) * MAX_BLOB_BYTES;
    this.#blobBytes += BLOB_BYTES + blob.length;
    for (const { tableId, key, offset } of places) this.#set(tableId, key, base + offset);
  }

  hasRowsOf(tableId: number): boolean {
    return this.#tables.has(tableId);
  }

  /** The state as bytes, none for a row that is gone; undefined when the row is not among these. */
  find(tableId: number, key: string): Buffer | undefined {
    const place = this.#tables.get(tableId)?.get(key);
    return place === undefined ? undefined : this.#read(place);
  }

  /** In the order of the table of row states. */
  *inOrder(): Generator<RecentState> {
    const tables = [...this.#tables].sort(([a], [b]) => a - b);
    for (const [tableId, places] of tables) {
      for (const key of [...places.keys()].sort()) {
        yield [tableId, key, this.#read(places.get(key) ?? 0)];
      }
    }
  }

  #set(tableId: number, key: string, place: number): void {
    let places = this.#tables.get(tableId);
    if (places === undefined) this.#tables.set(tableId, (places = new Map<string, number>()));
    const before = places.size;
    places.set(key, place);
    if (places.size === before) return;
    this.#rows += 1;
    this.#keyBytes += KEY_BYTES + key.length;
  }

  #read(place: number): Buffer {
    const blob = this.#blobs[Math.floor(place / MAX_BLOB_BYTES) - 1] ?? Buffer.alloc(0);
    const source = new ByteReader(blob, place % MAX_BLOB_BYTES);
    const length = source.varint();
    return blob.subarray(source.position, source.position + length);
  }
}

/** A blob is `table id, key, length of the state, state` for each row. */
export function* placesIn(blob: Buffer): Generator<StatePlace> {
  const source = new ByteReader(blob);
  while (!source.atEnd) {
    const tableId = source.varint();
    const key = source.text();
    yield { tableId, key, offset: source.position };
    source.skip(source.varint());
  }
}
