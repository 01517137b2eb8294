import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { TableSchema } from '@sluice/model';
import { describe, expect, it } from 'vitest';
import { compileParts } from './compile.ts';
import { Diagnostics } from './diagnostics.ts';
import { formatDiagnostic } from './format-diagnostic.ts';
import { formatPlan } from './testing/format-plan.ts';

// golden/<topic>/<name>.yaml -> <name>.plan.txt: the plan and the diagnostics, for review.
// UPDATE_GOLDEN=1 npx vitest run --project unit packages/sync-config/src/golden.test.ts rewrites them.

const ROOT = path.join(import.meta.dirname, '..', 'golden');
const isUpdate = process.env['UPDATE_GOLDEN'] === '1';

const files = (await readdir(ROOT, { recursive: true })).toSorted();
const inputs = files.filter((file) => file.endsWith('.yaml')).map((file) => file.slice(0, -5));
const outputs = files.filter((file) => file.endsWith('.plan.txt')).map((file) => file.slice(0, -9));

/** A first line such as `# schema: lists(id, owner), todos(id)` gives the live tables. */
function schemaOf(yaml: string): readonly TableSchema[] | undefined {
  const line = /^# schema: (.*)$/m.exec(yaml)?.[1];
  if (line === undefined) return undefined;
  return [...line.matchAll(/(\w+)\(([^)]*)\)/g)].map(([, name = '', columns = '']) => ({
    schema: 'public',
    name,
    columns: columns.split(/,\s*/).map((column) => ({
      name: column,
      sqliteType: 'text',
      sourceType: 'text',
    })),
  }));
}

function compileToText(name: string, yaml: string): string {
  const diagnostics = new Diagnostics();
  const options = { defaultSchema: 'public', sourceSchema: schemaOf(yaml) };
  const parts = compileParts(yaml, options, diagnostics);
  const problems = diagnostics
    .list()
    .map((problem) => `${formatDiagnostic(yaml, problem, `${path.basename(name)}.yaml`)}\n`);
  return [...problems, parts === undefined ? 'no plan\n' : formatPlan(parts)].join('\n');
}

describe('golden files', () => {
  it.each(inputs)('%s', async (name) => {
    const yaml = await readFile(path.join(ROOT, `${name}.yaml`), 'utf8');
    const text = compileToText(name, yaml);
    const file = path.join(ROOT, `${name}.plan.txt`);
    if (isUpdate) await writeFile(file, text);
    const golden = await readFile(file, 'utf8').catch(() => 'missing: run with UPDATE_GOLDEN=1');
    expect(text).toBe(golden);
  });

  it('has no output without an input', async () => {
    const orphans = outputs.filter((name) => !inputs.includes(name));
    if (isUpdate) {
      for (const name of orphans) await rm(path.join(ROOT, `${name}.plan.txt`));
      return;
    }
    expect(orphans).toEqual([]);
  });

  it('covers the whole grammar', () => {
    expect(inputs.length).toBeGreaterThanOrEqual(60);
  });
});
