import { silentLogger } from '@sluice/base';
import { openSource as openConfiguredSource, type PostgresConnection } from '@sluice/server';
import type { ChangeSource } from '@sluice/source';
import { createPostgresSource } from '@sluice/source-postgres';
import { sourceUrl } from './connection-url.ts';

/** A connection string as people type it, or the connection of a service configuration. */
export type SourceTarget = string | PostgresConnection;

/** The database as a change source. Connects at first use. */
export function openSource(target: SourceTarget): ChangeSource {
  return typeof target === 'string'
    ? createPostgresSource({ uri: sourceUrl(target) })
    : openConfiguredSource(target, { logger: silentLogger });
}
