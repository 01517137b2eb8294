import { expect, it } from 'vitest';
import type { LoggingConfig } from '../config/service-config.ts';
import { createLogger } from './create-logger.ts';

function linesOf(config: LoggingConfig): {
  lines: string[];
  logger: ReturnType<typeof createLogger>;
} {
  const lines: string[] = [];
  return { lines, logger: createLogger(config, { write: (line) => lines.push(line) }) };
}

it('writes one JSON line per event from the level on', () => {
  const { lines, logger } = linesOf({ level: 'info', format: 'json' });
  logger.debug('unseen');
  logger.info('stream_opened', { user: 'u1', opId: 12n });
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    {
      level: 'info',
      time: expect.any(String) as string,
      event: 'stream_opened',
      user: 'u1',
      opId: 12,
    },
  ]);
});

it('writes code, message and remedy as a sentence for people', () => {
  const { lines, logger } = linesOf({ level: 'info', format: 'text' });
  logger.warn('replication_failed', {
    code: 'SOURCE_UNREACHABLE',
    message: 'No answer',
    remedy: 'Start it',
    retryInMs: 250,
    table: 'a b',
  });
  expect(lines[0]?.slice(13)).toBe(
    'warn  replication_failed SOURCE_UNREACHABLE: No answer (Start it)  retryInMs=250 table="a b"\n',
  );
});

it('does not print secrets that got into the facts', () => {
  const { lines, logger } = linesOf({ level: 'info', format: 'json' });
  logger.info('x', { password: 'p1', connection: { password: 'p2' } });
  expect(lines[0]).not.toMatch(/p1|p2/);
});
