/** Whole lines on their way to one client. */
export class LineBatch {
  readonly #fullBytes: number;
  readonly parts: Uint8Array[] = [];
  lines = 0;
  byteLength = 0;
  /** Set where what is in should not wait for what follows. */
  isUrgent = false;

  constructor(fullBytes: number) {
    this.#fullBytes = fullBytes;
  }

  get isEmpty(): boolean {
    return this.parts.length === 0;
  }

  get isReady(): boolean {
    return this.isUrgent || this.byteLength >= this.#fullBytes;
  }

  line(bytes: Uint8Array): void {
    this.parts.push(bytes);
    this.byteLength += bytes.length;
    this.lines += 1;
  }

  lineOfParts(parts: readonly Uint8Array[]): void {
    for (const part of parts) this.line(part);
    this.lines -= parts.length - 1;
  }
}
