import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';

const FILE_HELP = 'the sync config';

/** `plan`, `deploy` and `rollback`, which share how the service is found. */
export function addDeployCommands(program: Command, context: CliContext): void {
  withTarget(program.command('plan'))
    .description('show what deploying a sync config would change, and what that costs')
    .argument('<file>', FILE_HELP)
    .option('--json', 'print it for programs')
    .action(async (file: string, options) =>
      (await import('../commands/plan.ts')).planCommand(context, file, options),
    );
  withTarget(program.command('deploy'))
    .description('deploy a sync config: fill what is new while the old one serves')
    .argument('<file>', FILE_HELP)
    .option('-y, --yes', 'do not ask')
    .option('--no-wait', 'do not wait until it serves')
    .action(async (file: string, options) =>
      (await import('../commands/deploy.ts')).deployCommand(context, file, options),
    );
  withTarget(program.command('rollback'))
    .description('go back to the sync config that served before')
    .option('-y, --yes', 'do not ask')
    .option('--no-wait', 'do not wait until it serves')
    .action(async (options) =>
      (await import('../commands/deploy.ts')).rollbackCommand(context, options),
    );
}

function withTarget(command: Command): Command {
  return command
    .option('--url <url>', 'the running service (default: the one of sluice dev)')
    .option('--token <token>', 'with --url: one of its api.tokens')
    .option('-c, --config <file>', 'the service of this configuration file')
    .option('--dir <folder>', 'folder of sluice dev (default: the nearest .sluice)');
}
