import { readFileSync } from 'node:fs';
import { CommanderError } from 'commander';
import { buildProgram } from './program.ts';
import { catchInterrupts } from './terminal/interrupt.ts';
import { printError } from './terminal/report-error.ts';
import { createScreen } from './terminal/screen.ts';

/** Time for what is still closing after a command has ended. */
const LINGER_MS = 2_000;

process.exitCode = await main(process.argv.slice(2));
setTimeout(() => process.exit(), LINGER_MS).unref();

async function main(args: readonly string[]): Promise<number> {
  const screen = createScreen(process.stdout, process.env);
  const errors = createScreen(process.stderr, process.env);
  // The reader of a pipe may go first (`sluice tail | head`); that is no failure.
  process.stdout.on('error', () => process.exit(0));
  using interrupt = catchInterrupts();
  const program = buildProgram({
    screen,
    errors,
    interrupt,
    cwd: process.cwd(),
    env: process.env,
    version: ownVersion(),
  });
  const groups = program.commands.flatMap((command) => command.commands);
  for (const command of [program, ...program.commands, ...groups]) {
    command.exitOverride().configureOutput({ outputError: () => {} });
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0; // help or version
    if (error instanceof CommanderError && error.code === 'commander.help') return 1;
    screen.setStatus(undefined);
    printError(errors, error, args.includes('--verbose'));
    return 1;
  }
}

function ownVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
