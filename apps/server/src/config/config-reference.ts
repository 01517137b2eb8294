import { z } from 'zod';
import { CONFIG_SCHEMA } from './config-schema.ts';
import { unwrap } from './schema-problems.ts';

/** docs/config.md: every key of the service configuration file, from the schema that checks it. */
export function configReference(): string {
  const sections: Section[] = [{ path: '', keys: [] }];
  collect(CONFIG_SCHEMA, '', sections);
  const tables = sections
    .filter((section) => section.keys.length > 0)
    .map((section) => renderSection(section));
  return `${INTRODUCTION}\n${tables.join('\n')}`;
}

interface Section {
  readonly path: string;
  readonly keys: string[];
}

const INTRODUCTION = `# The service configuration file

Generated from the schema; do not edit (\`npm run docs\`).

The file is YAML or JSON, in the format of PowerSync's service, and is looked for in this order:
the base64 text in \`POWERSYNC_CONFIG_B64\`, the path in \`POWERSYNC_CONFIG_PATH\`, then \`sluice.yaml\`,
\`sluice.yml\` or \`powersync.yaml\` in the working directory. \`POWERSYNC_SYNC_CONFIG_B64\` overrides
the sync config that the file names. A file without \`sync_config\` leaves the sync config to the admin API
([operations.md](operations.md#deploying-a-sync-config)): the service waits for a first one, and keeps it over restarts.

\`!env NAME\` stands for an environment variable whose name starts with \`PS_\`; \`!env NAME::number\` and
\`!env NAME::boolean\` convert it. A missing variable, an unknown key and a wrong value are errors;
all of them are reported at once, each with its line.
`;

function collect(schema: z.ZodType, path: string, sections: Section[]): void {
  const object = unwrap(schema);
  if (!(object instanceof z.ZodObject)) return;
  const section: Section = { path, keys: [] };
  sections.push(section);
  for (const [name, value] of Object.entries(object.shape as Record<string, z.ZodType>)) {
    const inner = unwrap(value);
    const meta = inner?.meta();
    if (meta?.['meaning'] !== undefined) section.keys.push(renderKey(name, meta));
    if (inner instanceof z.ZodObject && meta?.['meaning'] === undefined) {
      collect(inner, join(path, name), sections);
    } else if (
      inner instanceof z.ZodArray &&
      unwrap(inner.element as z.ZodType) instanceof z.ZodObject
    ) {
      collect(inner.element as z.ZodType, `${join(path, name)}[]`, sections);
    } else if (inner instanceof z.ZodRecord) {
      collect(inner.valueType as z.ZodType, `${join(path, name)}.<name>`, sections);
    }
  }
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function renderKey(name: string, meta: Readonly<Record<string, unknown>>): string {
  const cells = [`\`${name}\``, meta['type'] ?? 'map', meta['default'] ?? '', meta['meaning']];
  return `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
}

function renderSection(section: Section): string {
  const title = section.path === '' ? 'Top level' : `\`${section.path}\``;
  const head = '| Key | Type | Default | Meaning |\n| --- | --- | --- | --- |';
  return `## ${title}\n\n${head}\n${section.keys.join('\n')}\n`;
}
