import type { DataLine } from '@sluice/protocol';
import { pause, type ClientClock } from '../../clock.ts';

const MAX_WAIT_MS = 16;
const MAX_BYTES = 1024 * 1024;
/** What an operation takes besides its row. */
const OP_BYTES = 100;

export interface LineGroupOptions {
  readonly ingest: (lines: readonly DataLine[]) => void;
  readonly clock: ClientClock;
  /** The first line of the group has waited long enough: time to flush. */
  readonly onDue: () => void;
}

/** Data lines that will share a transaction: those of 16 ms, or 1 MB (spec/client.md 4.10). */
export class LineGroup {
  readonly #options: LineGroupOptions;
  #lines: DataLine[] = [];
  #bytes = 0;
  #timer = new AbortController();

  constructor(options: LineGroupOptions) {
    this.#options = options;
  }

  add(line: DataLine): void {
    this.#lines.push(line);
    for (const op of line.ops) this.#bytes += OP_BYTES + (op.kind === 'PUT' ? op.data.length : 0);
    if (this.#bytes >= MAX_BYTES) return this.flush();
    if (this.#lines.length === 1) void this.#wait();
  }

  /** Stores what has been added. Lines that cannot be stored are let go: the next request asks for them again. */
  flush(): void {
    if (this.#lines.length === 0) return;
    const lines = this.#lines;
    this.#lines = [];
    this.#bytes = 0;
    this.#timer.abort();
    this.#options.ingest(lines);
  }

  async #wait(): Promise<void> {
    this.#timer = new AbortController();
    const due = await pause(this.#options.clock, MAX_WAIT_MS, this.#timer.signal);
    if (due) this.#options.onDue();
  }
}
