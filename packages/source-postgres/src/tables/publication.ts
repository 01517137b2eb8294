import { SourceError } from '@sluice/base';
import type { QueryPool } from '../connect/query-pool.ts';
import { quoteName } from '../connect/quoting.ts';

interface Publication {
  readonly missingKinds: readonly string[];
  readonly viaRoot: boolean;
}

async function readPublication(pool: QueryPool, name: string): Promise<Publication | undefined> {
  const [row] = await pool.query<Publication>(
    'Looking for the publication',
    `SELECT p.pubviaroot AS "viaRoot",
       array_remove(ARRAY[CASE WHEN NOT p.pubinsert THEN 'insert' END,
         CASE WHEN NOT p.pubupdate THEN 'update' END, CASE WHEN NOT p.pubdelete THEN 'delete' END,
         CASE WHEN NOT p.pubtruncate THEN 'truncate' END], NULL) AS "missingKinds"
     FROM pg_catalog.pg_publication p WHERE p.pubname = $1`,
    [name],
  );
  return row;
}

export async function publicationExists(pool: QueryPool, name: string): Promise<boolean> {
  return (await readPublication(pool, name)) !== undefined;
}

/**
 * Throws unless the publication exists and has every change under the name of its own table.
 *
 * @throws SourceError `SOURCE_PUBLICATION_MISSING`; those of `missesChanges`.
 */
export async function requirePublication(pool: QueryPool, name: string): Promise<void> {
  const publication = await readPublication(pool, name);
  const quoted = quoteName(name);
  if (publication === undefined) {
    throw new SourceError('SOURCE_PUBLICATION_MISSING', `Publication ${name} does not exist`, {
      remedy: `Run as superuser: CREATE PUBLICATION ${quoted} FOR ALL TABLES`,
    });
  }
  const { missingKinds, viaRoot } = publication;
  if (missingKinds.length > 0) {
    const message = `Publication ${name} leaves out ${missingKinds.join(', ')}`;
    throw new SourceError('SOURCE_PUBLICATION_INCOMPLETE', message, {
      remedy: `Run: ALTER PUBLICATION ${quoted} SET (publish = 'insert, update, delete, truncate')`,
    });
  }
  if (viaRoot) {
    const message = `Publication ${name} publishes partitions under the name of their root`;
    throw new SourceError('SOURCE_PUBLICATION_VIA_ROOT', message, {
      remedy: `Run: ALTER PUBLICATION ${quoted} SET (publish_via_partition_root = false)`,
    });
  }
}

/** Whether changes went by, and go by, without anybody noticing: what was streamed has gaps. */
export function missesChanges(error: unknown): boolean {
  return (
    error instanceof SourceError &&
    (error.code === 'SOURCE_PUBLICATION_INCOMPLETE' || error.code === 'SOURCE_PUBLICATION_VIA_ROOT')
  );
}
