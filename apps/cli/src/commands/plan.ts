import path from 'node:path';
import type { CliContext } from '../cli-context.ts';
import { findTarget, type TargetOptions } from '../deploy/deploy-target.ts';
import { planLines } from '../deploy/plan-text.ts';
import { readTextFile } from '../dev/dev-sync-config.ts';
import { compileChecked } from '../sync-config/compile-checked.ts';

/** Prints what deploying a sync config would change, and changes nothing. */
export async function planCommand(
  context: CliContext,
  file: string,
  options: TargetOptions & { readonly json?: boolean | undefined },
): Promise<void> {
  const { screen, cwd } = context;
  const text = await readTextFile(path.resolve(cwd, file));
  // JSON goes to programs: they get the errors as a failure, without the listing before.
  if (!options.json) compileChecked(screen, text, { fileName: file, defaultSchema: 'public' });
  const target = await findTarget(context, options);
  const plan = await target.plan(text);
  if (options.json) {
    screen.print(JSON.stringify(plan, undefined, 2));
    return;
  }
  screen.print(`${file} against what ${target.name} serves:\n`);
  for (const line of planLines(plan, screen.colors)) screen.print(line);
  if (target.service === undefined) {
    screen.print(screen.colors.dim('  The service does not run, so its clients are not known'));
  }
}
