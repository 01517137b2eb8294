import path from 'node:path';
import { AppError } from '@sluice/base';
import type { ChangeSource } from '@sluice/source';
import type { CliContext } from '../cli-context.ts';
import { openSource } from '../database/open-source.ts';
import { readTextFile } from '../dev/dev-sync-config.ts';
import { compileChecked } from '../sync-config/compile-checked.ts';
import { shownPath } from '../terminal/text.ts';
import { EvaluatedData } from './evaluated-data.ts';
import { openStorage, type ExplainPlace } from './explain-place.ts';
import { openStoredData } from './stored-data.ts';
import type { SyncedData } from './synced-data.ts';

export interface DataChoice {
  /** A config that is not deployed; absent: what is served. */
  readonly syncConfig?: string | undefined;
  /** Whether rows are read from the database in any case. */
  readonly needsSource: boolean;
  /** Operations, or rows per table, to read at most. */
  readonly limit: number;
}

export interface OpenedData extends AsyncDisposable {
  readonly data: SyncedData;
  /** Undefined where it is not needed: the database may not even run. */
  readonly source: ChangeSource | undefined;
}

const DEFAULT_SCHEMA = 'public';

/** Opens what the answers are looked up in: storage, or the database through a config. */
export async function openData(
  context: CliContext,
  place: ExplainPlace,
  choice: DataChoice,
): Promise<OpenedData> {
  const { syncConfig, needsSource } = choice;
  const source = needsSource || syncConfig !== undefined ? openSource(place.source()) : undefined;
  try {
    const data =
      syncConfig !== undefined && source !== undefined
        ? await evaluatedData(context, source, syncConfig, choice.limit)
        : await storedData(place, choice.limit);
    return {
      data,
      source,
      async [Symbol.asyncDispose]() {
        await data[Symbol.asyncDispose]();
        await source?.[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await source?.[Symbol.asyncDispose]();
    throw error;
  }
}

async function evaluatedData(
  { cwd, errors }: CliContext,
  source: ChangeSource,
  file: string,
  maxRows: number,
): Promise<SyncedData> {
  const absolute = path.resolve(cwd, file);
  const text = await readTextFile(absolute);
  const tables = await source.readSchema();
  const name = shownPath(cwd, absolute);
  const { defaultSchema } = source;
  const options = { fileName: name, defaultSchema, sourceSchema: tables };
  const plan = compileChecked(errors, text, options);
  return new EvaluatedData({ plan, name, source, tables, maxRows });
}

async function storedData({ storage }: ExplainPlace, maxOps: number): Promise<SyncedData> {
  if (storage === undefined) {
    throw new AppError('CLI_USAGE', 'It is not said which sync config to explain', {
      remedy: 'Add --sync-config FILE, or --config FILE of a service',
    });
  }
  const opened = await openStorage(storage);
  const { name } = storage;
  return openStoredData({ storage: opened, defaultSchema: DEFAULT_SCHEMA, name, maxOps });
}
