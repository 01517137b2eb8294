import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { sampleDir } from './sample-database.ts';

export interface SampleApp {
  /** The section `write_api`: what users of the sample may write. */
  readonly writeApi: Readonly<Record<string, unknown>>;
  /** The folder of the todo app; undefined where it is not built (`npm start` builds it). */
  readonly webApp: string | undefined;
}

/** What belongs to the sample database beside its sync config. */
export async function sampleApp(): Promise<SampleApp> {
  const rules = await readFile(path.join(sampleDir(), 'write-api.yaml'), 'utf8');
  const built = path.join(sampleDir(), '..', 'todo', 'dist');
  return {
    writeApi: parse(rules) as Record<string, unknown>,
    webApp: existsSync(path.join(built, 'index.html')) ? built : undefined,
  };
}
