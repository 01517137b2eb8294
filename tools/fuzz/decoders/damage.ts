import type { SeededRandom } from '@sluice/testing';

/** Bytes that mean something to some format: signs, brackets, quotes, ends of integer ranges. */
const TELLING = Buffer.from('\0\x01\x7f\x80\xff{}[]"\'\\:,.-&*!|>?#%@` \n\t0129eE+', 'latin1');
const HUGE = [0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0xff_ffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
const MAX_RANDOM_BYTES = 300;

/** A damaged copy of one of the samples, or now and then bytes of no origin at all. */
export function damaged(samples: readonly Uint8Array[], random: SeededRandom): Buffer {
  if (random.chance(0.05)) return randomBytes(random.int(MAX_RANDOM_BYTES), random);
  let bytes: Buffer = Buffer.from(random.pick(samples));
  for (let left = 1 + random.int(4); left > 0; left--) {
    bytes = random.pick(DAMAGES)(bytes, random, samples);
  }
  return bytes;
}

type Damage = (bytes: Buffer, random: SeededRandom, samples: readonly Uint8Array[]) => Buffer;

const DAMAGES: readonly Damage[] = [
  (bytes, random) => changed(bytes, random, (at) => (bytes[at] = random.int(256))),
  (bytes, random) => changed(bytes, random, (at) => (bytes[at] = random.pick([...TELLING]))),
  (bytes, random) =>
    changed(bytes, random, (at) => (bytes[at] = (bytes[at] ?? 0) ^ (1 << random.int(8)))),
  (bytes, random) => bytes.subarray(0, random.int(bytes.length + 1)),
  (bytes, random) => withLength(bytes, random),
  (bytes, random) => cutOut(bytes, random),
  (bytes, random) => inserted(bytes, random, randomBytes(1 + random.int(8), random)),
  (bytes, random) => inserted(bytes, random, part(bytes, random)),
  (bytes, random, samples) =>
    inserted(bytes, random, part(Buffer.from(random.pick(samples)), random)),
];

function changed(bytes: Buffer, random: SeededRandom, change: (at: number) => void): Buffer {
  if (bytes.length > 0) change(random.int(bytes.length));
  return bytes;
}

/** Writes over what may be a length or a count. */
function withLength(bytes: Buffer, random: SeededRandom): Buffer {
  if (bytes.length < 4) return bytes;
  const at = random.int(bytes.length - 3);
  const value = random.pick(HUGE);
  if (random.chance(0.5)) bytes.writeUInt32BE(value, at);
  else bytes.writeUInt32LE(value, at);
  return bytes;
}

function cutOut(bytes: Buffer, random: SeededRandom): Buffer {
  const [start, end] = range(bytes, random);
  return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
}

function inserted(bytes: Buffer, random: SeededRandom, what: Uint8Array): Buffer {
  const at = random.int(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), what, bytes.subarray(at)]);
}

function part(bytes: Buffer, random: SeededRandom): Buffer {
  const [start, end] = range(bytes, random);
  return bytes.subarray(start, end);
}

function range(bytes: Buffer, random: SeededRandom): readonly [start: number, end: number] {
  const [a, b] = [random.int(bytes.length + 1), random.int(bytes.length + 1)];
  return [Math.min(a, b), Math.max(a, b)];
}

function randomBytes(count: number, random: SeededRandom): Buffer {
  return Buffer.from(Array.from({ length: count }, () => random.int(256)));
}
