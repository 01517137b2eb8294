import { LineError } from '../line-error.ts';
import type { Line } from '../line.ts';
import { decodeBsonLine, decodeJsonLine } from './decode-line.ts';

/** Cuts a stream of bytes into lines, wherever the chunks end. Lines of unknown kinds are left out. */
export interface LineSplitter {
  /** @throws LineError */
  push(chunk: Uint8Array): readonly Line[];
  /** What is left when the stream has ended. @throws LineError if it ended inside a line */
  end(): readonly Line[];
}

/** Lines end with a line feed, the last one may lack it; blank ones are skipped (spec/protocol.md 2.2). */
export class JsonLineSplitter implements LineSplitter {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  readonly #maxLength: number;
  /** Pieces of the line that has not ended. */
  #pieces: string[] = [];
  #length = 0;

  /** `maxLineBytes` is counted in UTF-16 units here. */
  constructor(maxLineBytes: number) {
    this.#maxLength = maxLineBytes;
  }

  push(chunk: Uint8Array): readonly Line[] {
    return this.#take(this.#decoder.decode(chunk, { stream: true }));
  }

  end(): readonly Line[] {
    const lines = this.#take(this.#decoder.decode());
    return [...lines, ...decoded(this.#finished(''))];
  }

  #take(text: string): readonly Line[] {
    const parts = text.split('\n');
    const rest = parts.pop() ?? '';
    const lines = parts.flatMap((part) => decoded(this.#finished(part)));
    this.#length += rest.length;
    if (this.#length > this.#maxLength) throw tooLong(this.#maxLength);
    if (rest !== '') this.#pieces.push(rest);
    return lines;
  }

  #finished(last: string): string {
    const text = this.#pieces.length === 0 ? last : this.#pieces.join('') + last;
    this.#pieces = [];
    this.#length = 0;
    return text;
  }
}

/** Documents stand back to back; the first four bytes of each are its length. */
export class BsonLineSplitter implements LineSplitter {
  readonly #maxBytes: number;
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  constructor(maxLineBytes: number) {
    this.#maxBytes = maxLineBytes;
  }

  push(chunk: Uint8Array): readonly Line[] {
    this.#chunks.push(chunk);
    this.#bytes += chunk.byteLength;
    const wanted = this.#nextLength();
    if (wanted === undefined || this.#bytes < wanted) return [];
    const all = this.#joined();
    const lines: Line[] = [];
    let at = 0;
    for (;;) {
      const rest = all.subarray(at);
      const length = rest.byteLength < 4 ? undefined : this.#lengthOf(rest);
      if (length === undefined || length > rest.byteLength) break;
      const line = decodeBsonLine(rest.subarray(0, length));
      if (line !== undefined) lines.push(line);
      at += length;
    }
    this.#chunks = at === all.byteLength ? [] : [all.subarray(at)];
    this.#bytes = all.byteLength - at;
    return lines;
  }

  end(): readonly Line[] {
    if (this.#bytes > 0) throw new LineError('The stream ended inside a BSON document');
    return [];
  }

  /** Of the document that is being collected, once its length is there. */
  #nextLength(): number | undefined {
    if (this.#bytes < 4) return undefined;
    if ((this.#chunks[0]?.byteLength ?? 0) < 4) this.#chunks = [this.#joined()];
    return this.#lengthOf(this.#chunks[0] ?? new Uint8Array(4));
  }

  #lengthOf(bytes: Uint8Array): number {
    const length = new DataView(bytes.buffer, bytes.byteOffset, 4).getInt32(0, true);
    if (length < 5) throw new LineError(`A BSON document says that it has ${length} bytes`);
    if (length > this.#maxBytes) throw tooLong(this.#maxBytes);
    return length;
  }

  #joined(): Uint8Array {
    const [first] = this.#chunks;
    if (first !== undefined && this.#chunks.length === 1) return first;
    const all = new Uint8Array(this.#bytes);
    let at = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, at);
      at += chunk.byteLength;
    }
    return all;
  }
}

function decoded(text: string): readonly Line[] {
  if (text.trim() === '') return [];
  const line = decodeJsonLine(text);
  return line === undefined ? [] : [line];
}

function tooLong(max: number): LineError {
  return new LineError(`A line is longer than ${max} bytes`);
}
