import { toAppError, type Clock, type Logger } from '@sluice/base';
import { ringOf } from './key-file-format.ts';
import { keyFileVersion, readKeyFile, type FileVersion } from './key-file.ts';
import type { KeyRing, KeyRings } from './key-ring.ts';

/** How long a change of the file may go unnoticed. */
const LOOK_EVERY_MS = 1000;

/**
 * The keys of a file, as it is now: whoever asks for them makes it look, at most once a second. A
 * file that has become unreadable or wrong is logged, and the keys before it go on to be used.
 */
export class LiveKeyFile implements KeyRings {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #ring: KeyRing;
  #version: FileVersion;
  #lookedAtMs: number;
  #looking: Promise<void> | undefined;
  #complainedOf: string | undefined;

  private constructor(
    file: string,
    read: { readonly ring: KeyRing; readonly version: FileVersion },
    { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  ) {
    this.#file = file;
    this.#clock = clock;
    this.#logger = logger;
    this.#ring = read.ring;
    this.#version = read.version;
    this.#lookedAtMs = clock.now();
  }

  /** @throws AppError `TOKENS_KEYS_MISSING`, `TOKENS_KEYS_EXPOSED`, `TOKENS_KEYS_INVALID`. */
  static async open(
    file: string,
    around: { readonly clock: Clock; readonly logger: Logger },
  ): Promise<LiveKeyFile> {
    return new LiveKeyFile(file, await readRing(file), around);
  }

  async current(): Promise<KeyRing> {
    // A clock that was set back must not keep it from looking.
    const sinceMs = Math.abs(this.#clock.now() - this.#lookedAtMs);
    if (sinceMs >= LOOK_EVERY_MS) {
      this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
    }
    await this.#looking;
    return this.#ring;
  }

  async #look(): Promise<void> {
    this.#lookedAtMs = this.#clock.now();
    try {
      if ((await keyFileVersion(this.#file)) === this.#version && !this.#complainedOf) return;
      const { ring, version } = await readRing(this.#file);
      this.#ring = ring;
      if (version !== this.#version) {
        const kids = ring.accepted(this.#clock.now()).map(({ kid }) => kid);
        this.#logger.info('token_keys_changed', { file: this.#file, kids });
      }
      this.#version = version;
      this.#complainedOf = undefined;
    } catch (error) {
      const { code, message, remedy } = toAppError(error);
      if (this.#complainedOf === message) return;
      this.#complainedOf = message;
      this.#logger.error('token_keys_unusable', { code, message, remedy });
    }
  }
}

async function readRing(file: string): Promise<{ ring: KeyRing; version: FileVersion }> {
  const { keys, version } = await readKeyFile(file);
  return { ring: await ringOf(keys), version };
}
