/** A decoder that reads what others wrote, and valid input for it to be damaged. */
export interface DecoderTarget {
  readonly name: string;
  readonly samples: readonly Uint8Array[];
  /** Small inputs that ask for much: depth, lengths, aliases. Run whole, once each. */
  readonly bombs: Readonly<Record<string, Uint8Array>>;
  /** Decodes as the product does. A result or a refusal; a promise is awaited. */
  readonly decode: (bytes: Uint8Array) => unknown;
  /** Whether an error is one that the callers of the decoder know. */
  readonly isRefusal: (error: unknown) => boolean;
}

export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text);
}

/** As the product reads bytes that should be text: what is no UTF-8 is replaced. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
