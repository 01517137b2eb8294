import { SyncError } from '@sluice/base';
import type { PayloadFrame, RequestStreamFrame } from '@sluice/protocol';

/** As for a body over HTTP. */
const MAX_REQUEST_BYTES = 1 << 20;

/** Puts requests together that come in several frames (spec/protocol.md 3.1). */
export class FrameAssembler {
  readonly #open = new Map<number, RequestStreamFrame>();

  /**
   * The whole request, or undefined while more of it follows.
   *
   * @throws SyncError `SYNC_REQUEST_INVALID` when it is too large.
   */
  begin(frame: RequestStreamFrame): RequestStreamFrame | undefined {
    if (!frame.follows) return frame;
    this.#open.set(frame.streamId, { ...frame, data: Uint8Array.from(frame.data) });
    return undefined;
  }

  /** As `begin`; undefined too for a frame that continues nothing. */
  continue(frame: PayloadFrame): RequestStreamFrame | undefined {
    const begun = this.#open.get(frame.streamId);
    if (begun === undefined) return undefined;
    const whole = {
      ...begun,
      follows: frame.follows,
      metadata: joined(begun.metadata, frame.metadata),
      data: Buffer.concat([begun.data, frame.data]),
    };
    const bytes = whole.data.byteLength + (whole.metadata?.byteLength ?? 0);
    if (bytes > MAX_REQUEST_BYTES) {
      this.#open.delete(frame.streamId);
      throw new SyncError(
        'SYNC_REQUEST_INVALID',
        `The request is larger than ${MAX_REQUEST_BYTES} bytes`,
      );
    }
    if (frame.follows) this.#open.set(frame.streamId, whole);
    else this.#open.delete(frame.streamId);
    return frame.follows ? undefined : whole;
  }

  forget(streamId: number): void {
    this.#open.delete(streamId);
  }

  get size(): number {
    return this.#open.size;
  }
}

function joined(a: Uint8Array | undefined, b: Uint8Array | undefined): Uint8Array | undefined {
  return a && b ? Buffer.concat([a, b]) : (a ?? b);
}
