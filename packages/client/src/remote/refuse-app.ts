import type { Channel } from './channel.ts';
import { Peer } from './peer.ts';
import type { HostMethods } from './protocol.ts';

/** For a thread that could not open its database: the app's `open` rejects with the reason. */
export function refuseApp(channel: Channel, reason: unknown): void {
  const refuse = () => {
    throw reason;
  };
  const handlers = { hello: refuse, close: () => undefined };
  new Peer<Pick<HostMethods, 'hello' | 'close'>, Readonly<Record<never, never>>, never, never>(
    channel,
    {
      handlers,
      onEvent: () => undefined,
      onClosed: () => undefined,
      onProblem: () => undefined, // an answer that cannot be told: the app finds the channel closed
    },
  );
}
