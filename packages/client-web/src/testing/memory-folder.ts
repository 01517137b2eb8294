import type { DatabaseFolder, KeptFiles } from '../storage/opfs-folder.ts';
import { LimitedFiles } from './limited-files.ts';

/** A folder that a test looks into. */
export class MemoryFolder implements DatabaseFolder {
  readonly generations = new Map<number, LimitedFiles>();
  /** Bytes that the files of a new generation take. */
  roomForNew = Infinity;

  async generation(): Promise<number> {
    return Math.max(1, ...this.generations.keys());
  }

  async acquire(generation: number): Promise<KeptFiles> {
    const limited = this.generations.get(generation) ?? new LimitedFiles(this.roomForNew);
    this.generations.set(generation, limited);
    const isNew = !limited.files.exists('data');
    return { files: limited.files, main: 'data', isNew, close: () => undefined };
  }

  async removeBefore(generation: number): Promise<void> {
    for (const number of this.generations.keys()) {
      if (number < generation) this.generations.delete(number);
    }
  }
}
