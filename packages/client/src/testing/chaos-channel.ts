import type { SeededRandom } from '@sluice/testing';
import type { Channel } from '../remote/channel.ts';

/** Two channels that are joined until they are cut, which loses everything that is under way. */
export interface ChaosPair {
  readonly host: Channel;
  readonly app: Channel;
  readonly cut: () => void;
}

/** Messages of each direction come in order and whenever it pleases `random`. */
export function chaosChannels(random: SeededRandom): ChaosPair {
  const ends = [new ChaosEnd(), new ChaosEnd()] as const;
  const cut = () => ends.forEach((end) => end.end());
  const deliver = () => {
    if (ends.every(({ isOpen }) => !isOpen)) return;
    for (let count = random.int(4); count > 0; count -= 1) random.pick(ends).deliver();
    setImmediate(deliver);
  };
  setImmediate(deliver);
  const channel = (own: ChaosEnd, other: ChaosEnd): Channel => ({
    post: (message) => other.queue.push(structuredClone(message)),
    onMessage: (listener) => void (own.listener = listener),
    onClose: (listener) => void own.closeListeners.push(listener),
    close: cut,
  });
  return { host: channel(ends[0], ends[1]), app: channel(ends[1], ends[0]), cut };
}

class ChaosEnd {
  readonly queue: unknown[] = [];
  readonly closeListeners: (() => void)[] = [];
  listener: (message: unknown) => void = () => undefined;
  isOpen = true;

  deliver(): void {
    const [message] = this.queue.splice(0, 1);
    if (this.isOpen && message !== undefined) this.listener(message);
  }

  end(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    for (const listener of this.closeListeners) listener();
  }
}
