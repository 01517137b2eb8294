import { Crowd } from '../crowd/crowd.ts';
import { median, percentile, type Figure } from '../harness.ts';
import type { HubWorld } from './hub-world.ts';

const WARM_UP = 30;
const ROUNDS = 200;

/** From opening a socket until the first checkpoint is complete, for a client that has everything. */
export async function measureReconnect(world: HubWorld): Promise<readonly Figure[]> {
  await using crowd = new Crowd();
  const figures: Figure[] = [];
  for (const [buckets, user] of [
    [2, 'nobody'],
    [502, 'many'],
  ] as const) {
    const token = world.issuer.token(user);
    const held = await heldBuckets(world, token);
    if (held.length !== buckets) throw new Error(`${held.length} buckets instead of ${buckets}`);
    const body = JSON.stringify({ buckets: held, raw_data: true, client_id: 'again' });
    const times: number[] = [];
    for (let round = 0; round < WARM_UP + ROUNDS; round += 1) {
      const [ms = Number.NaN] = await crowd.connect({
        port: world.service.port,
        tokens: [token],
        body,
        atOnce: 1,
      });
      if (round >= WARM_UP) times.push(ms);
      await crowd.close();
    }
    const figure = (what: string, value: number): Figure => ({
      name: `reconnect with ${buckets} buckets: ${what}`,
      unit: 'ms',
      value,
      higherIsBetter: false,
    });
    figures.push(figure('p50', median(times)), figure('p99', percentile(times, 99)));
    figures.push(figure('least', Math.min(...times)));
  }
  return figures;
}

interface Held {
  readonly name: string;
  readonly after: string;
}

/** What a client holds once it has everything. */
async function heldBuckets({ service }: HubWorld, token: string): Promise<readonly Held[]> {
  const response = await fetch(`${service.url}/sync/stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Token ${token}` },
    body: JSON.stringify({ raw_data: true }),
  });
  let text = '';
  for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += part;
    if (text.includes('"checkpoint_complete"')) break;
  }
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as HeldLine);
  const held = new Map<string, string>();
  for (const { checkpoint, data } of lines) {
    for (const { bucket } of checkpoint?.buckets ?? []) held.set(bucket, '0');
    if (data) held.set(data.bucket, data.next_after);
  }
  return [...held].map(([name, after]) => ({ name, after }));
}

interface HeldLine {
  readonly checkpoint?: { readonly buckets: readonly { readonly bucket: string }[] };
  readonly data?: { readonly bucket: string; readonly next_after: string };
}
