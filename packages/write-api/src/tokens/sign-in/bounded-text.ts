/** The text of a body of at most so many bytes. @throws Error when it is longer. */
export async function boundedText(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): Promise<string> {
  const parts: Uint8Array[] = [];
  let byteLength = 0;
  for await (const part of body ?? []) {
    byteLength += part.byteLength;
    if (byteLength > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
