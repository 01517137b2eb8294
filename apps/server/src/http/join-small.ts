/** Parts below this size are put together before they are compressed or written. */
const SMALL_BYTES = 16 * 1024;

/** Neighbouring small parts become one; large ones stay the objects they are. */
export function joinSmall(parts: readonly Uint8Array[]): readonly Uint8Array[] {
  if (parts.length <= 1) return parts;
  const joined: Uint8Array[] = [];
  let small: Uint8Array[] = [];
  const flush = (): void => {
    const [first] = small;
    if (first) joined.push(small.length === 1 ? first : joinedPart(first, small));
    small = [];
  };
  for (const part of parts) {
    if (part.byteLength < SMALL_BYTES) {
      small.push(part);
    } else {
      flush();
      joined.push(part);
    }
  }
  flush();
  return joined;
}

/** What was put together last behind a part. */
const joins = new WeakMap<
  Uint8Array,
  { readonly parts: readonly Uint8Array[]; readonly joined: Uint8Array }
>();

/**
 * The lines of a change that many connections have are the same objects for all of them (`LineEncoder`),
 * so what is put together of them is one object, too, and compressed once.
 */
function joinedPart(first: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  const known = joins.get(first);
  const isSame =
    known?.parts.length === parts.length && parts.every((part, i) => part === known.parts[i]);
  if (isSame) return known.joined;
  const joined = Buffer.concat(parts);
  joins.set(first, { parts, joined });
  return joined;
}
