import { writeFile } from 'node:fs/promises';
import { configReference } from '../../apps/server/src/config/config-reference.ts';
import { errorsPage } from './errors-page.ts';
import { syncConfigSchemaFile } from './sync-config-schema-file.ts';

await writeFile(new URL('../../docs/config.md', import.meta.url), configReference());
await writeFile(new URL('../../docs/errors.md', import.meta.url), errorsPage());
await writeFile(
  new URL('../../docs/sync-config.schema.json', import.meta.url),
  syncConfigSchemaFile(),
);
