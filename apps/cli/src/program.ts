import { Command, InvalidArgumentError, Option } from 'commander';
import type { CliContext } from './cli-context.ts';
import { addDeployCommands } from './deploy/deploy-commands.ts';
import { addKeysCommands } from './keys/keys-commands.ts';
import { parseJsonObject, parseStreamArgument, type StreamArgument } from './commands/tail.ts';

const DIR_HELP = 'folder of sluice dev (default: the nearest .sluice)';

const EXAMPLES = `
Examples:
  sluice dev                                    a database with sample data, the service, tokens
  sluice tail --user alice                      watch what a user gets, live
  sluice explain --user alice --row lists/42    is this row on her device, and why (not)?
  sluice dev --db postgresql://me@localhost/app your own database instead of the sample
  sluice validate sync-config.yaml              check a sync config
  sluice plan sync-config.yaml                  see what a changed sync config would cost
  sluice start --config service.yaml            run the service in production
`;

/**
 * The commands and their options. What they do is loaded when it is needed, so that help and small
 * commands start at once.
 */
export function buildProgram(context: CliContext): Command {
  const program = new Command('sluice')
    .description('Keeps the SQLite databases on devices in step with the database behind an app.')
    .version(context.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .option('--verbose', 'print stack traces with errors')
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError(false)
    .helpCommand('help [command]', 'print help for a command')
    .addHelpText('after', EXAMPLES);
  addDevelopment(program.commandsGroup('Development:'), context);
  addConfiguration(program.commandsGroup('Configuration:'), context);
  addOperation(program.commandsGroup('Operation:'), context);
  return program;
}

function addDevelopment(program: Command, context: CliContext): void {
  program
    .command('dev')
    .description('run everything here: database, service, write endpoint, tokens')
    .option('--db <url>', 'your own PostgreSQL instead of the sample database')
    .option(
      '--sync-config <file>',
      "sync config (default: the sample's, or ./sync-config.yaml with --db)",
    )
    .option('--fix', 'with --db: do what is missing in the database')
    .option('--user <name...>', 'with --db: whom to make tokens for')
    .option('--port <number>', 'port of the service (default: 8080)', parsePort)
    .option(
      '--postgres-port <number>',
      'port of the sample database (default: any free one)',
      parsePort,
    )
    .option('--dir <folder>', 'where to keep database, storage and key', '.sluice')
    .action(async (options) => (await import('./commands/dev.ts')).runDev(context, options));
  program
    .command('tail')
    .description('print live what a user gets')
    .option('--user <name>', 'whose rows (default: the first user of sluice dev)')
    .option('--url <url>', 'the service (default: the one of sluice dev)')
    .option('--token <jwt>', 'a token instead of --user')
    .option(
      '--stream <name[:json]>',
      'subscribe to a stream, with parameters; repeatable',
      addStream,
    )
    .option('--parameters <json>', 'connection parameters', parseJsonObject)
    .option('--buckets', 'print the buckets, then those that change')
    .option('--all', 'print every row, also of the first download')
    .option('--dir <folder>', DIR_HELP)
    .action(async (options) => (await import('./commands/tail.ts')).tailCommand(context, options));
  addExplain(program, context);
  program
    .command('sql')
    .description('run SQL in the database of sluice dev')
    .argument('<statement>', 'SQL, in quotes')
    .option('--dir <folder>', DIR_HELP)
    .action(async (text: string, options) =>
      (await import('./commands/sql.ts')).sqlCommand(context, text, options),
    );
  program
    .command('token')
    .description('print a development token, valid for 24 hours')
    .requiredOption('--user <name>', 'the user (claim sub)')
    .option('--dir <folder>', DIR_HELP)
    .action(async (options) =>
      (await import('./commands/token.ts')).tokenCommand(context, options),
    );
}

const EXPLAIN_HELP = `
For operators: it prints data of the user and the row that it is asked about, whoever runs it.
It reads what is served from bucket storage, and single rows from the database; it changes nothing.

Examples:
  sluice explain --user alice                        what alice gets, and why
  sluice explain --user alice --row lists/42         is this row on her device, and if not, why?
  sluice explain --row 'lists?name=Groceries'        which buckets the row is in
  sluice explain --user alice --sync-config new.yaml the same with a config before it is deployed
`;

function addExplain(program: Command, context: CliContext): void {
  program
    .command('explain')
    .description('say which rows a user gets and why, or why a row is (not) on a device')
    .option('--user <name>', 'whose (claim sub; default: the first user of sluice dev)')
    .option('--claims <json>', 'more claims of the token', parseJsonObject)
    .option('--token <jwt>', 'a token instead of --user; its signature is not checked')
    .option('--parameters <json>', 'connection parameters', parseJsonObject)
    .option(
      '--stream <name[:json]>',
      'subscribe to a stream, with parameters; repeatable',
      addStream,
    )
    .option('--no-defaults', 'without the streams that need no subscription')
    .option('--row <table/key>', "explain this row; also 'table?column=value'")
    .option('--rows <number>', 'rows to show per table', parseCount, 3)
    .option('--limit <number>', 'read at most so much', parseCount, 100_000)
    .option('--sync-config <file>', 'a config that is not deployed, evaluated on the database')
    .option('-c, --config <file>', 'the configuration of a service: its storage and database')
    .option('--db <url>', 'read rows from this database (default: of sluice dev)')
    .option('--json', 'print JSON for tools')
    .option('--dir <folder>', DIR_HELP)
    .addHelpText('after', EXPLAIN_HELP)
    .action(async (options) =>
      (await import('./commands/explain.ts')).explainCommand(context, options),
    );
}

function addConfiguration(program: Command, context: CliContext): void {
  addFunctions(program, context);
  program
    .command('init')
    .description('write a first sync config from the schema of a database')
    .requiredOption('--db <url>', 'PostgreSQL to read the schema from')
    .option('--out <file>', 'where to write it', 'sync-config.yaml')
    .option('--force', 'overwrite an existing file')
    .action(async (options) => (await import('./commands/init.ts')).initCommand(context, options));
  program
    .command('validate')
    .description('check sync configs, and show each problem with its place')
    .argument('[files...]', 'the sync configs (default: ./sync-config.yaml)')
    .option(
      '--db <url>',
      'also check tables and columns in this database (default: of sluice dev if it runs)',
    )
    .option('-c, --config <file>', 'as --db, with the database of a service configuration')
    .option('--strict', 'fail on warnings too')
    .option('--exact', "show where SQLite's own semantics (edition 4) would differ")
    .option('--dir <folder>', DIR_HELP)
    .option('--json', 'print the result for tools')
    .action(async (files: readonly string[], options) =>
      (await import('./commands/validate.ts')).validateCommand(context, files, options),
    );
  program
    .command('config-schema')
    .description('print the JSON Schema of sync configs, for editors')
    .option('--out <file>', 'write it to a file instead')
    .action(async (options) =>
      (await import('./commands/config-schema.ts')).configSchemaCommand(context, options),
    );
  program
    .command('generate')
    .description('write files from a sync config: sluice generate schema')
    .command('schema')
    .description('write the schema that clients declare, with types, from config and database')
    .argument('[file]', 'the sync config (default: ./sync-config.yaml)')
    .option('--format <name>', 'what to write, see --list-formats', 'typescript')
    .option('--out <file>', 'where to write it (default: print it)')
    .option('--check', 'with --out: write nothing, fail when the file differs')
    .option('-c, --config <file>', 'the configuration of a service: its sync config and database')
    .option('--db <url>', 'read columns and types from this database (default: of sluice dev)')
    .option('--no-db', 'without database: only columns that the config names, as text')
    .option('--package <name>', 'npm package to import the SDK from', '@powersync/web')
    .option('--dir <folder>', DIR_HELP)
    .option('--list-formats', 'print the formats')
    .action(async (file: string | undefined, options) =>
      (await import('./commands/generate-schema.ts')).generateSchemaCommand(context, file, options),
    );
}

function addFunctions(program: Command, context: CliContext): void {
  const functions = program
    .command('functions')
    .description("look at the app's functions: sluice functions list, check");
  functions
    .command('list')
    .description('print routes, hooks and sign-ins')
    .argument('[folder]', 'the folder', 'functions')
    .option('--json', 'print the result for tools')
    .action(async (folder: string, options) =>
      (await import('./commands/functions.ts')).listFunctions(context, folder, options),
    );
  functions
    .command('check')
    .description('load them as the service does; types are not checked')
    .argument('[folder]', 'the folder', 'functions')
    .action(async (folder: string) =>
      (await import('./commands/functions.ts')).checkFunctions(context, folder),
    );
}

function addOperation(program: Command, context: CliContext): void {
  addDeployCommands(program, context);
  addKeysCommands(program, context);
  program
    .command('start')
    .description('run the service from a configuration file')
    .option('-c, --config <file>', 'the file (default: POWERSYNC_CONFIG_PATH, then sluice.yaml)')
    .addOption(new Option('--config-base64 <text>', 'the configuration itself, base64'))
    .addOption(new Option('--sync-config-base64 <text>', 'the sync config itself, base64'))
    .action(async (options) =>
      (await import('./commands/start.ts')).startCommand(context, options),
    );
  program
    .command('doctor')
    .description('check that a database is ready for replication')
    .option('--db <url>', 'the database')
    .option('-c, --config <file>', 'the configuration of a service')
    .option(
      '--sync-config <file>',
      'with --db: whose tables to check (default: ./sync-config.yaml)',
    )
    .option('--fix', 'do what is missing, as far as this role may')
    .action(async (options) =>
      (await import('./commands/doctor.ts')).doctorCommand(context, options),
    );
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('A port is a number from 0 (any free one) to 65535.');
}

function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(count)) return count;
  throw new InvalidArgumentError('It is a whole number from 0.');
}

function addStream(
  text: string,
  before: readonly StreamArgument[] = [],
): readonly StreamArgument[] {
  return [...before, parseStreamArgument(text)];
}
