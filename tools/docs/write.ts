import { writeFile } from 'node:fs/promises';
import { errorsPage } from './errors-page.ts';
import { syncConfigSchemaFile } from './sync-config-schema-file.ts';

await writeFile(new URL('../../docs/errors.md', import.meta.url), errorsPage());
await writeFile(
  new URL('../../docs/sync-config.schema.json', import.meta.url),
  syncConfigSchemaFile(),
);
