import path from 'node:path';
import type { CliContext } from '../cli-context.ts';
import { shownPath } from '../terminal/text.ts';
import { manifestLines, readManifest } from '../functions/functions-folder.ts';
import type { DevFolder, DevState } from './dev-folder.ts';
import type { DevSyncConfig } from './dev-sync-config.ts';

export interface BannerFacts {
  readonly folder: DevFolder;
  readonly state: Omit<DevState, 'running'>;
  readonly functions: string | undefined;
  readonly syncConfig: DevSyncConfig;
  readonly isSample: boolean;
  /** Whether a page is served at the service's address. */
  readonly hasWebApp: boolean;
}

const SAMPLE_UPDATE =
  "UPDATE lists SET name = name || '+' WHERE owner_id = 'alice' AND position = 1";

/** Says where everything is, and what to try first. */
export async function printBanner(context: CliContext, facts: BannerFacts): Promise<void> {
  const { screen, cwd } = context;
  const { colors } = screen;
  const { state, syncConfig } = facts;
  const row = (name: string, value: string) =>
    screen.print(`  ${name.padEnd(13)}${colors.cyan(value)}`);
  screen.print();
  if (facts.hasWebApp) {
    const [one = '', other = ''] = state.users;
    row('Todo app', `${state.serviceUrl}/?user=${one}`);
    row('', `${state.serviceUrl}/?user=${other} ${colors.dim('in a second window')}`);
    screen.print();
  }
  row('Service', state.serviceUrl);
  row('Uploads', state.uploadUrl);
  row('Sign in', `${state.serviceUrl}/token?user_id=${state.users[0] ?? 'NAME'}`);
  row('Database', state.databaseUrl);
  row(
    'Sync config',
    `${shownPath(cwd, syncConfig.path)} ${colors.dim('saved changes are deployed')}`,
  );
  if (facts.functions !== undefined) {
    const shown = shownPath(cwd, facts.functions);
    row('Functions', `${shown} ${colors.dim('saved changes are loaded')}`);
    const lines = manifestLines(await readManifest(facts.functions));
    for (const line of lines) screen.print(`  ${''.padEnd(13)}${colors.dim(line)}`);
  }
  row('Log', shownPath(cwd, facts.folder.file('service.log')));

  printFirstSteps(context, facts);
}

function printFirstSteps({ screen, cwd }: CliContext, facts: BannerFacts): void {
  const { colors } = screen;
  const { state, isSample, folder } = facts;
  const dir =
    folder.path === path.join(cwd, '.sluice') ? '' : ` --dir ${shownPath(cwd, folder.path)}`;
  const user = state.users[0] ?? 'dev';
  screen.print(`\n  ${colors.bold('Try it')}`);
  if (facts.hasWebApp) {
    screen.print(
      '  Open both addresses of the todo app side by side: what one changes, the other sees.',
    );
  }
  screen.print('  In a second terminal, watch what a user sees:');
  screen.print(`    ${colors.green(`npx sluice tail --user ${user}${dir}`)}`);
  if (isSample) {
    screen.print('  In a third one, change a row:');
    screen.print(`    ${colors.green(`npx sluice sql${dir} "${SAMPLE_UPDATE}"`)}`);
    screen.print(`    ${colors.dim('or:')} psql ${state.databaseUrl} -c "${SAMPLE_UPDATE}"`);
  } else {
    screen.print('  In a third one, change a row of one of the synced tables.');
  }
  screen.print('  A token for SDKs and curl, valid for 24 hours:');
  screen.print(`    ${colors.green(`npx sluice token --user ${user}${dir}`)}`);
  screen.print(`\n  ${colors.dim('Ctrl-C stops everything.')}\n`);
}
