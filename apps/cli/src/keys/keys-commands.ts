import { InvalidArgumentError, Option, type Command } from 'commander';
import type { CliContext } from '../cli-context.ts';

const ALGORITHMS = ['ES256', 'RS256', 'EdDSA'] as const;
const DEFAULT_FILE = 'sluice-keys.json';
const FILE_HELP = `the file of the keys (default: ./${DEFAULT_FILE})`;

const HELP = `
The keys sign the tokens that the service gives out (write_api.tokens in its configuration).

A rotation in two steps, without a token refused:
  sluice keys rotate             a new key is published, signs 10 minutes later; the older ones
                                 are accepted until their tokens have ended (24 hours)
  sluice keys list               see what each key does at present
If a key may be known to others:
  sluice keys rotate --retire    the older keys are gone at once, and so are their tokens
A running service takes up the changed file by itself. Copy it to the other machines in those 10 minutes.
`;

/** `sluice keys generate`, `rotate` and `list`. */
export function addKeysCommands(program: Command, context: CliContext): void {
  const keys = program
    .command('keys')
    .description('make and rotate the keys that sign tokens')
    .addHelpText('after', HELP);
  keys
    .command('generate')
    .description('make a first key')
    .addOption(algorithm().default('ES256'))
    .option('--out <file>', 'where to write it', DEFAULT_FILE)
    .option('--env', 'print it as environment variables instead')
    .action(async (options) =>
      (await import('../commands/keys.ts')).generateKeys(context, options),
    );
  keys
    .command('rotate')
    .description('make a new key that takes over')
    .argument('[file]', FILE_HELP, DEFAULT_FILE)
    .addOption(algorithm('that of the newest key'))
    .option(
      '--after <seconds>',
      'how long it is published before it signs (default: 600)',
      parseSeconds,
    )
    .option('--retire', 'drop the older keys now: their tokens are refused, the new key signs')
    .action(async (file: string, options) =>
      (await import('../commands/keys.ts')).rotateKeysCommand(context, file, options),
    );
  keys
    .command('list')
    .description('show the keys and what each does at present')
    .argument('[file]', FILE_HELP, DEFAULT_FILE)
    .action(async (file: string) => (await import('../commands/keys.ts')).listKeys(context, file));
}

function algorithm(fallback?: string): Option {
  const otherwise = fallback === undefined ? '' : ` (default: ${fallback})`;
  return new Option('--alg <name>', `algorithm${otherwise}`).choices(ALGORITHMS);
}

const MAX_SECONDS = 30 * 86_400;

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds <= MAX_SECONDS) return seconds;
  throw new InvalidArgumentError(`It is a number of seconds from 0 to ${MAX_SECONDS}.`);
}
