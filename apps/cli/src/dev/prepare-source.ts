import { createHash } from 'node:crypto';
import { LocalPostgres } from '@sluice/local-postgres';
import type { TablePattern } from '@sluice/model';
import { compileSyncConfig } from '@sluice/sync-config';
import type { CliContext } from '../cli-context.ts';
import { sourceUrl } from '../database/connection-url.ts';
import { checkSource, notReady } from '../database/check-source.ts';
import { printChecks, problemsOf } from '../database/print-checks.ts';
import { runSql } from '../database/run-sql.ts';
import { runStep } from '../terminal/steps.ts';
import { counted } from '../terminal/text.ts';
import type { DevFolder } from './dev-folder.ts';
import { findSyncConfig, readTextFile, type SyncConfigChoice } from './dev-sync-config.ts';
import { choosePort, isPortFree } from './free-port.ts';
import { ensureSample } from './sample-database.ts';

export interface PreparedSource extends AsyncDisposable {
  readonly url: string;
  /** Whom to make tokens for. */
  readonly users: readonly string[];
  /** One bucket storage per database, so that switching between databases mixes nothing. */
  readonly storageName: string;
  /** Of the embedded server only. */
  readonly postgresPort: number | undefined;
}

export interface SourceChoice {
  readonly db?: string | undefined;
  readonly syncConfig?: string | undefined;
  readonly fix?: boolean | undefined;
  readonly postgresPort?: number | undefined;
  readonly user?: readonly string[] | undefined;
}

/** Has a database ready for replication: the embedded one with the sample app, or the user's own. */
export function prepareSource(
  context: CliContext,
  choice: SourceChoice,
  folder: DevFolder,
): Promise<PreparedSource> {
  return choice.db === undefined
    ? prepareSample(context, choice, folder)
    : prepareOwn(context, choice, choice.db);
}

async function prepareSample(
  { screen, interrupt }: CliContext,
  choice: SourceChoice,
  folder: DevFolder,
): Promise<PreparedSource> {
  const port = await postgresPort(choice, folder);
  const server = await runStep(screen, 'PostgreSQL', async () => {
    const started = await LocalPostgres.start({ dataDir: folder.file('postgres'), port });
    interrupt.onForce(() => void started.stop('immediate'));
    return { value: started, done: `PostgreSQL on port ${started.port}` };
  });
  try {
    const sample = await runStep(screen, 'Sample database', async () => {
      await server.ensureDatabase('sample');
      const facts = await ensureSample(server.url('sample'));
      const rows = `${counted(facts.users.length, 'user')}, ${counted(facts.listCount, 'list')}, ${counted(facts.todoCount, 'todo')}`;
      return { value: facts, done: `Sample database${facts.created ? '' : ' as it was'}: ${rows}` };
    });
    return {
      url: server.url('sample'),
      users: [...new Set([...sample.users, ...(choice.user ?? [])])],
      storageName: 'sample.db',
      postgresPort: server.port,
      [Symbol.asyncDispose]: () => server.stop(),
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** The port of last time if it is free, so that connection strings stay valid. */
async function postgresPort(choice: SourceChoice, folder: DevFolder): Promise<number> {
  if (choice.postgresPort !== undefined) {
    const wanted = { port: choice.postgresPort, chosenByUser: true, option: '--postgres-port' };
    return (await choosePort(wanted)).port;
  }
  const last = folder.state()?.postgresPort;
  return last !== undefined && (await isPortFree(last)) ? last : 0;
}

async function prepareOwn(
  context: CliContext,
  choice: SourceChoice,
  db: string,
): Promise<PreparedSource> {
  const { screen } = context;
  const url = sourceUrl(db);
  const { host, pathname } = new URL(url);
  const checks = await runStep(screen, `Checking ${host}${pathname}`, async () => {
    const patterns = await wantedTables(context, choice);
    const fixWith = choice.fix ? (statement: string) => runSql(url, statement) : undefined;
    const value = await checkSource(url, { patterns, fixWith });
    return { value, done: `Checked ${host}${pathname}` };
  });
  printChecks(screen, checks, { all: false });
  const problems = problemsOf(checks);
  if (problems.length > 0) throw notReady(problems, choice.fix === true);
  return {
    url,
    users: choice.user ?? ['dev'],
    storageName: `db-${createHash('sha256').update(`${host}${pathname}`).digest('hex').slice(0, 8)}.db`,
    postgresPort: undefined,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/**
 * The tables that the sync config reads; none where there is no usable one: what is wrong with it is
 * for others to say.
 */
export async function wantedTables(
  { cwd }: CliContext,
  choice: SyncConfigChoice,
): Promise<readonly TablePattern[]> {
  const file = findSyncConfig(cwd, choice);
  if (file === undefined) return [];
  return (
    compileSyncConfig(await readTextFile(file), { defaultSchema: 'public' }).plan?.tables ?? []
  );
}
