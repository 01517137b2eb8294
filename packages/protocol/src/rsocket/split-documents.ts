const LENGTH_BYTES = 4;

/**
 * Cuts the parts of a batch, which concatenated are BSON documents, into one list of parts for each
 * document. Copies nothing but a length that lies across two parts.
 */
export function splitDocuments(parts: readonly Uint8Array[]): (readonly Uint8Array[])[] {
  const documents: (readonly Uint8Array[])[] = [];
  let current: Uint8Array[] = [];
  let lengthSoFar: readonly number[] = [];
  let missing = 0;
  for (const part of parts) {
    let at = 0;
    while (at < part.byteLength) {
      const wanted = missing > 0 ? missing : LENGTH_BYTES - lengthSoFar.length;
      const taken = part.subarray(at, at + wanted);
      current.push(taken);
      at += taken.byteLength;
      if (missing === 0) {
        lengthSoFar = [...lengthSoFar, ...taken];
        if (lengthSoFar.length < LENGTH_BYTES) continue;
        missing = int32(lengthSoFar) - LENGTH_BYTES;
        lengthSoFar = [];
      } else {
        missing -= taken.byteLength;
      }
      if (missing > 0) continue;
      documents.push(current);
      current = [];
    }
  }
  return documents;
}

function int32(bytes: readonly number[]): number {
  return new DataView(Uint8Array.from(bytes).buffer).getInt32(0, true);
}
