import { SeededRandom } from '@sluice/testing';
import { damaged } from './damage.ts';
import type { DecoderTarget } from './target.ts';

export interface FuzzReport {
  readonly target: string;
  /** Inputs that gave a result, and inputs that were refused as they should be. */
  readonly accepted: number;
  readonly refused: number;
  readonly failures: readonly FuzzFailure[];
  readonly slowestMs: number;
  /** The most that one input made the process grow. */
  readonly greediestMib: number;
}

interface FuzzFailure {
  /** Name of the bomb, or the damaged bytes as base64. */
  readonly input: string;
  readonly problem: string;
}

/** Of one input, on a machine that does other things too. */
const MAX_MS = 3000;
/**
 * Of one input. The largest bombs have a few MiB, and what the collector has not taken away yet of
 * earlier inputs counts too, so this is well above what decoding takes and well below a length of
 * 2 GiB that was believed.
 */
const MAX_GROWTH_MIB = 128;
const MAX_FAILURES = 10;

/**
 * Gives a decoder its bombs, then `count` damaged inputs. A failure is an error that is no refusal,
 * a sample that is refused whole, or an input that takes longer than 3 s or more than 128 MiB.
 */
export async function fuzzDecoder(
  target: DecoderTarget,
  options: { readonly count: number; readonly seed: number },
): Promise<FuzzReport> {
  const run = new FuzzRun(target);
  for (const [index, sample] of target.samples.entries()) {
    if (!(await run.give(sample, `sample ${index}`))) run.fail(`sample ${index}`, 'was refused');
  }
  for (const [name, bomb] of Object.entries(target.bombs)) await run.give(bomb, name);
  const random = new SeededRandom(options.seed);
  for (let round = 0; round < options.count && run.failures.length < MAX_FAILURES; round++) {
    const bytes = damaged(target.samples, random);
    await run.give(bytes, bytes.toString('base64'));
  }
  return run.report();
}

class FuzzRun {
  readonly failures: FuzzFailure[] = [];
  readonly #target: DecoderTarget;
  #accepted = 0;
  #refused = 0;
  #slowestMs = 0;
  #greediestMib = 0;

  constructor(target: DecoderTarget) {
    this.#target = target;
  }

  /** Whether the input was accepted. */
  async give(bytes: Uint8Array, input: string): Promise<boolean> {
    // Of the processor, as others may be busy on this machine.
    const before = process.cpuUsage();
    const peakBefore = peakMib();
    const accepted = await this.#decode(bytes, input);
    const grownMib = peakMib() - peakBefore;
    this.#greediestMib = Math.max(this.#greediestMib, grownMib);
    if (grownMib > MAX_GROWTH_MIB) this.fail(input, `took ${Math.round(grownMib)} MiB of memory`);
    const { user, system } = process.cpuUsage(before);
    const tookMs = (user + system) / 1000;
    this.#slowestMs = Math.max(this.#slowestMs, tookMs);
    if (tookMs > MAX_MS) this.fail(input, `took ${Math.round(tookMs)} ms`);
    return accepted;
  }

  async #decode(bytes: Uint8Array, input: string): Promise<boolean> {
    try {
      await this.#target.decode(bytes);
      this.#accepted += 1;
      return true;
    } catch (error) {
      this.#refused += 1;
      if (!this.#target.isRefusal(error)) {
        this.fail(input, error instanceof Error ? (error.stack ?? String(error)) : String(error));
      }
      return false;
    }
  }

  fail(input: string, problem: string): void {
    this.failures.push({ input, problem });
  }

  report(): FuzzReport {
    return {
      target: this.#target.name,
      accepted: this.#accepted,
      refused: this.#refused,
      failures: this.failures,
      slowestMs: Math.round(this.#slowestMs),
      greediestMib: Math.round(this.#greediestMib),
    };
  }
}

/**
 * The most memory that the process ever had, so that what was freed again counts too. Below an earlier
 * peak it sees nothing: `npm run fuzz:decoders` is a process of its own and sees most.
 */
function peakMib(): number {
  return process.resourceUsage().maxRSS / 1024;
}
