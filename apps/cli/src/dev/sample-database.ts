import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '@sluice/base';
import pg from 'pg';

export interface SampleFacts {
  readonly created: boolean;
  readonly users: readonly string[];
  readonly listCount: number;
  readonly todoCount: number;
}

/** The folder examples/sample of the repository, seen from the built or the source file. */
export function sampleDir(): string {
  const here = path.dirname(fileURLToPath(import.meta.url));
  const folder = path.join(here, '..', '..', '..', '..', 'examples', 'sample');
  if (existsSync(folder)) return folder;
  throw new AppError('CONFIG_FILE_MISSING', `The sample app is not at ${folder}`, {
    remedy: 'Run sluice dev in a clone of the repository, or use your own database with --db URL',
  });
}

/** Fills the database once, in one transaction: a start that was interrupted begins again. */
export async function ensureSample(connectionString: string): Promise<SampleFacts> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    const found = await client.query<{ done: boolean }>(
      "SELECT to_regclass('public.todos') IS NOT NULL AS done",
    );
    const created = found.rows[0]?.done !== true;
    if (created) {
      await client.query('BEGIN');
      for (const name of ['schema.sql', 'data.sql']) {
        await client.query(await readFile(path.join(sampleDir(), name), 'utf8'));
      }
      await client.query('COMMIT');
    }
    return { created, ...(await sampleFacts(client)) };
  } finally {
    await client.end();
  }
}

async function sampleFacts(client: pg.Client): Promise<Omit<SampleFacts, 'created'>> {
  const users = await client.query<{ id: string }>('SELECT id FROM users ORDER BY id LIMIT 20');
  const counts = await client.query<{ lists: number; todos: number }>(
    'SELECT (SELECT count(*)::int FROM lists) AS lists, (SELECT count(*)::int FROM todos) AS todos',
  );
  return {
    users: users.rows.map((row) => row.id),
    listCount: counts.rows[0]?.lists ?? 0,
    todoCount: counts.rows[0]?.todos ?? 0,
  };
}
