import { AppError } from '@sluice/base';
import type { CliContext } from '../cli-context.ts';
import { runSql } from '../database/run-sql.ts';
import { formatTable } from '../terminal/table.ts';
import { findFolder, noFolder } from './tail.ts';

/** For those who have no psql: runs SQL in the database of the running `sluice dev`. */
export async function sqlCommand(
  { screen, ...context }: CliContext,
  text: string,
  options: { readonly dir?: string | undefined },
): Promise<void> {
  const folder = findFolder({ screen, ...context }, options.dir);
  const state = folder?.state();
  if (state === undefined) throw noFolder('sluice sql');
  if (!state.running) {
    throw new AppError('SOURCE_UNREACHABLE', 'sluice dev is not running', {
      remedy: 'Start it first: npm start',
    });
  }
  for (const { command, rowCount, columns, rows } of await runSql(state.databaseUrl, text)) {
    if (columns.length > 0) for (const line of formatTable(columns, rows)) screen.print(line);
    else screen.print(rowCount === null ? command : `${command} ${rowCount}`);
  }
}
