import type { SeededRandom } from '@sluice/testing';
import type { Request } from './condition.ts';
import { randomInt, randomText } from './random-schema.ts';
import type { RandomStream } from './random-streams.ts';

type Subscription = { readonly stream: string; readonly parameters: Request['subscription'] };

/** A user, their request, and what they were shown. */
export class OracleUser {
  readonly name: string;
  readonly auth: Request['auth'];
  readonly connection: Request['connection'];
  readonly subscriptions: readonly Subscription[];
  /** What each checkpoint showed, and what the source had after each commit. */
  readonly shown: string[] = [];
  readonly expected: string[] = [];

  constructor(name: string, random: SeededRandom, streams: readonly RandomStream[]) {
    this.name = name;
    this.auth = { sub: name, ...randomValues(random) };
    this.connection = randomValues(random);
    this.subscriptions = streams.flatMap(({ name: stream }) =>
      Array.from({ length: random.int(3) }, () => ({ stream, parameters: randomValues(random) })),
    );
  }

  /** One request for each time the stream is evaluated. */
  requestsFor(stream: RandomStream): Request[] {
    const { auth, connection } = this;
    const subscribed = this.subscriptions
      .filter((subscription) => subscription.stream === stream.name)
      .map(({ parameters }) => ({ auth, connection, subscription: parameters }));
    return stream.isDefault ? [{ auth, connection, subscription: {} }, ...subscribed] : subscribed;
  }
}

function randomValues(random: SeededRandom) {
  return {
    ...(random.chance(0.85) ? { team: randomText(random) } : {}),
    ...(random.chance(0.85) ? { level: randomInt(random) } : {}),
    ...(random.chance(0.85)
      ? { ids: Array.from({ length: random.int(4) }, () => randomText(random)) }
      : {}),
  };
}
