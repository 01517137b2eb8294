/** What Node's buffers have but its type declarations lack: slices without argument checks. */
interface SliceableBuffer {
  utf8Slice?: (start: number, end: number) => string;
  latin1Slice?: (start: number, end: number) => string;
}

const FAST: SliceableBuffer = Buffer.prototype as unknown as SliceableBuffer;

/*
 * Measured on Node 20.20 for 4 to 80 bytes, per call: `toString('utf8', s, e)` 46-63 ns,
 * `utf8Slice` 40-47 ns, `latin1Slice` 37-41 ns, but 38-121 ns with the check for ASCII that it needs.
 * Cutting values out of the text of the whole message is faster still (26 ns), but then a short key
 * that is kept keeps its whole row in memory.
 */

/** The text of `buffer[start, end)`, which lies within the buffer. Invalid UTF-8 becomes U+FFFD. */
export const utf8Slice: (buffer: Buffer, start: number, end: number) => string = FAST.utf8Slice
  ? (buffer, start, end) => (buffer as Buffer & Required<SliceableBuffer>).utf8Slice(start, end)
  : (buffer, start, end) => buffer.toString('utf8', start, end);

/** The same for bytes that are known to be ASCII. */
export const asciiSlice: (buffer: Buffer, start: number, end: number) => string = FAST.latin1Slice
  ? (buffer, start, end) => (buffer as Buffer & Required<SliceableBuffer>).latin1Slice(start, end)
  : (buffer, start, end) => buffer.toString('latin1', start, end);
