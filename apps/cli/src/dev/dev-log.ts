import { createWriteStream } from 'node:fs';
import type { LogFacts, Logger } from '@sluice/base';
import type { Screen } from '../terminal/screen.ts';

/** What the status tells already, with its remedy: that the source fails, that nothing is served yet. */
function isToldByStatus(event: string, facts: LogFacts = {}): boolean {
  return event === 'replication_failed' || facts['code'] === 'SYNC_NO_ACTIVE_CONFIG';
}

export interface DevLog extends AsyncDisposable {
  readonly logger: Logger;
}

/** Everything goes to a file as JSON lines; warnings and errors also to the screen, in short. */
export function openDevLog(file: string, screen: Screen): DevLog {
  const stream = createWriteStream(file, { flags: 'w', mode: 0o600 });
  stream.on('error', (error) =>
    screen.print(`  ! The log ${file} cannot be written: ${error.message}`),
  );
  const write = (level: string, event: string, facts: LogFacts = {}) => {
    stream.write(`${JSON.stringify({ time: new Date().toISOString(), level, event, ...facts })}\n`);
  };
  const show = (mark: string, event: string, facts: LogFacts = {}) => {
    screen.print(`  ${mark} ${logText(event, facts)}`);
  };
  const { colors } = screen;
  return {
    logger: {
      debug: (event, facts) => write('debug', event, facts),
      info: (event, facts) => write('info', event, facts),
      warn: (event, facts) => {
        write('warn', event, facts);
        if (!isToldByStatus(event, facts)) show(colors.yellow('!'), event, facts);
      },
      error: (event, facts) => {
        write('error', event, facts);
        if (!isToldByStatus(event, facts)) show(colors.red('✗'), event, facts);
      },
    },
    [Symbol.asyncDispose]: () => new Promise((resolve) => stream.end(() => resolve())),
  };
}

/** `source_table_no_identity  code=SOURCE_TABLE_NO_IDENTITY  message=…`; nested facts are left to the file. */
function logText(event: string, facts: LogFacts): string {
  const shown = Object.entries(facts).filter(([, value]) =>
    ['string', 'number', 'boolean'].includes(typeof value),
  );
  return [event, ...shown.map(([name, value]) => `${name}=${String(value)}`)].join('  ');
}
