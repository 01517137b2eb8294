/**
 * The process that holds many client connections. Ends by itself with its parent. Started by
 * `Crowd`; see `messages.ts` for what it is told.
 */
import { machineMs } from '../process-figures.ts';
import { CrowdConnection } from './crowd-connection.ts';
import type { CrowdAnswer, CrowdCommand } from './messages.ts';

const connections: CrowdConnection[] = [];
let left = 0;
let onAll: () => void = () => {};

process.on('message', (command: CrowdCommand) => {
  handle(command).then(
    (times) => answer({ times }),
    (error: unknown) => answer({ times: [], error: String(error) }),
  );
});
process.once('disconnect', () => process.exit(0));

function answer(message: CrowdAnswer): void {
  process.send?.(message);
}

async function handle(command: CrowdCommand): Promise<readonly number[]> {
  switch (command.kind) {
    case 'connect':
      return connect(command);
    case 'watch':
      left = connections.length;
      for (const connection of connections) {
        connection.watch(command.marker, () => {
          left -= 1;
          onAll();
        });
      }
      return [];
    case 'arrivals':
      return arrivals(command.expected, command.timeoutMs);
    case 'close':
      for (const connection of connections.splice(0)) connection.close();
      return [];
  }
}

/** How long each took until its first checkpoint was complete. */
async function connect(
  command: Extract<CrowdCommand, { kind: 'connect' }>,
): Promise<readonly number[]> {
  const waiting = [...command.tokens];
  const times: number[] = [];
  const worker = async (): Promise<void> => {
    for (let token = waiting.pop(); token !== undefined; token = waiting.pop()) {
      const startedAt = machineMs();
      connections.push(await CrowdConnection.open({ ...command, token }));
      times.push(machineMs() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: command.atOnce }, worker));
  return times;
}

/** When each connection was sent the marker, those that came before `expected` were there. */
async function arrivals(expected: number, timeoutMs: number): Promise<readonly number[]> {
  const arrived = (): number => connections.length - left;
  if (arrived() < expected) {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${arrived()} of ${expected} arrivals within ${timeoutMs} ms`)),
        timeoutMs,
      );
      onAll = () => {
        if (arrived() < expected) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }
  if (connections.some(({ closed }) => closed)) throw new Error('A connection was closed');
  return connections.flatMap(({ markerAt }) => (markerAt === undefined ? [] : [markerAt]));
}
