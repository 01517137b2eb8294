import { pino, type DestinationStream } from 'pino';
import type { Logger } from '@sluice/base';
import type { LoggingConfig } from '../config/service-config.ts';
import { formatTextLine } from './text-line.ts';

/** Never printed, should they ever get into the facts of an event. */
const SECRET_FACTS = ['password', 'token', 'secret', 'authorization', '*.password', '*.token'];

/** The service's log: one line per event, as JSON or as text for people. */
export function createLogger(
  config: LoggingConfig,
  destination: { write(line: string): unknown } = process.stdout,
): Logger {
  const write = (line: string): void => {
    destination.write(config.format === 'json' ? line : formatTextLine(line));
  };
  const stream: DestinationStream = { write };
  const log = pino(
    {
      level: config.level,
      base: null,
      messageKey: 'event',
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (level) => ({ level }) },
      redact: SECRET_FACTS,
    },
    stream,
  );
  return {
    debug: (event, facts) => log.debug(facts ?? {}, event),
    info: (event, facts) => log.info(facts ?? {}, event),
    warn: (event, facts) => log.warn(facts ?? {}, event),
    error: (event, facts) => log.error(facts ?? {}, event),
  };
}
