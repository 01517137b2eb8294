/** The text of a body; undefined when it has more than so many bytes. */
export async function boundedText(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): Promise<string | undefined> {
  const parts: Uint8Array[] = [];
  let byteLength = 0;
  for await (const part of body ?? []) {
    byteLength += part.byteLength;
    if (byteLength > maxBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
