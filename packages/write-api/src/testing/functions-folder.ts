import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { LogFacts, Logger } from '@sluice/base';
import type { Caller, RowWrite } from '../pipeline/row-write.ts';
import { AppFunctions, type FunctionsOptions } from '../functions/app-functions.ts';

/** A folder of functions in a temporary place, and what they wrote to the log. */
export class FunctionsFolder implements AsyncDisposable {
  readonly path: string;
  readonly logger = new CollectingLogger();
  readonly #opened: AppFunctions[] = [];

  private constructor(folder: string) {
    this.path = folder;
  }

  static async create(files: Readonly<Record<string, string>>): Promise<FunctionsFolder> {
    const parent = await realpath(await mkdtemp(path.join(tmpdir(), 'sluice-functions-')));
    const folder = new FunctionsFolder(path.join(parent, 'functions'));
    await mkdir(folder.path);
    await folder.write(files);
    return folder;
  }

  async write(
    files: Readonly<Record<string, string>>,
    { imports: withImports = true } = {},
  ): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      const file = path.join(this.path, name);
      await mkdir(path.dirname(file), { recursive: true });
      const imports =
        "import { defineEndpoint, defineSignIn, defineTable, Reject, SqlError } from '@sluice/write-api/functions';";
      // In front of the first line, so that line numbers in tests are those of the text.
      await writeFile(file, withImports && text.includes('define') ? `${imports} ${text}` : text);
    }
  }

  async open(options: Partial<FunctionsOptions> = {}): Promise<AppFunctions> {
    const functions = await AppFunctions.open({
      folder: this.path,
      logger: this.logger,
      ...options,
      limits: { hookWorkers: 2, endpointWorkers: 2, graceMs: 500, ...options.limits },
    });
    this.#opened.push(functions);
    return functions;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const functions of this.#opened) await functions[Symbol.asyncDispose]();
    await rm(path.dirname(this.path), { recursive: true, force: true });
  }
}

/** Keeps its lines. */
export class CollectingLogger implements Logger {
  readonly lines: (LogFacts & { readonly level: string; readonly event: string })[] = [];

  debug = (event: string, facts?: LogFacts) => this.#add('debug', event, facts);
  info = (event: string, facts?: LogFacts) => this.#add('info', event, facts);
  warn = (event: string, facts?: LogFacts) => this.#add('warn', event, facts);
  error = (event: string, facts?: LogFacts) => this.#add('error', event, facts);

  of(event: string): readonly LogFacts[] {
    return this.lines.filter((line) => line.event === event);
  }

  #add(level: string, event: string, facts: LogFacts = {}): void {
    this.lines.push({ ...facts, level, event });
  }
}

export const ANN: Caller = { userId: 'ann', claims: { sub: 'ann', role: 'admin' }, clientId: 'c1' };

export function rowWrite(parts: Partial<RowWrite> = {}): RowWrite {
  return {
    op: 'PUT',
    table: 'todos',
    id: 't1',
    values: new Map(),
    base: undefined,
    metadata: undefined,
    ...parts,
  };
}
