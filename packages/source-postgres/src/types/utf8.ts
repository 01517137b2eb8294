/** What Node's buffers have and its type declarations lack: slices without argument checks. */
interface SliceableBuffer {
  utf8Slice(start: number, end: number): string;
  latin1Slice(start: number, end: number): string;
}

/** The text of `buffer[start, end)`, which must lie within the buffer. Invalid UTF-8 becomes U+FFFD. */
export function utf8Slice(buffer: Buffer, start: number, end: number): string {
  return (buffer as unknown as SliceableBuffer).utf8Slice(start, end);
}
