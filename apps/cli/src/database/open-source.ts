import { systemClock } from '@sluice/base';
import type { ChangeSource } from '@sluice/source';
import { openPostgresSource } from '@sluice/source-postgres';
import { sourceUrl } from './connection-url.ts';

/** The database that a connection string names, as a change source. Connects at first use. */
export function openSource(url: string): ChangeSource {
  return openPostgresSource({ uri: sourceUrl(url), clock: systemClock });
}
