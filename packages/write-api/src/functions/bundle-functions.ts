import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '@sluice/base';
import type { BuildFailure, Message, Plugin } from 'esbuild';

/** One script with the app's functions and what runs them, for `new Worker`. */
export interface FunctionBundle {
  readonly code: string;
  /** Where the script pretends to lie: packages are looked for from there, stacks name it. */
  readonly file: string;
  /** Names of the files that were read as functions. */
  readonly files: readonly string[];
  /** Every file of the app that is in it, absolute: what to watch. */
  readonly inputs: readonly string[];
}

/** What the app's files import. */
const ENTRY_POINT = '@sluice/write-api/functions';
const IS_FUNCTION_FILE = /^(?!_).+(?<!\.d|\.test)\.(?:ts|mts|js|mjs)$/;
const OWN_SUFFIX = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const OWN_FILES = {
  define: fileURLToPath(new URL(`./define${OWN_SUFFIX}`, import.meta.url)),
  serve: fileURLToPath(new URL(`./runtime/serve${OWN_SUFFIX}`, import.meta.url)),
};

/**
 * Reads the functions of a folder, TypeScript or not, and puts them into one script. Packages from
 * `node_modules` are not put in, they are loaded from there.
 *
 * @throws ConfigError `FUNCTION_INVALID`, with file and line of every syntax error.
 */
export async function bundleFunctions(folder: string): Promise<FunctionBundle> {
  const files = await functionFiles(folder);
  // Loaded here so that a service without functions does without the compiler.
  const { build } = await import('esbuild');
  const file = path.join(folder, '.sluice-functions.cjs');
  try {
    const result = await build({
      stdin: { contents: entryScript(files), resolveDir: folder, sourcefile: 'sluice-entry.js' },
      absWorkingDir: folder,
      outfile: file,
      write: false,
      bundle: true,
      packages: 'external',
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      sourcemap: 'inline',
      sourcesContent: false,
      metafile: true,
      logLevel: 'silent',
      // Settings of the app's own project must not change what is understood here.
      tsconfigRaw: {},
      define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
      plugins: [ownFiles],
    });
    const own = new Set(Object.values(OWN_FILES).map((name) => path.dirname(name)));
    const inputs = Object.keys(result.metafile.inputs)
      .map((input) => path.resolve(folder, input))
      .filter(
        (input) => !own.has(path.dirname(input)) && path.basename(input) !== 'sluice-entry.js',
      );
    return { code: result.outputFiles[0]?.text ?? '', file, files, inputs };
  } catch (error) {
    throw isBuildFailure(error) ? syntaxError(error) : error;
  }
}

async function functionFiles(folder: string): Promise<readonly string[]> {
  try {
    const names = await readdir(folder);
    return names.filter((name) => IS_FUNCTION_FILE.test(name)).sort();
  } catch (cause) {
    const message = `The folder of functions ${folder} cannot be read`;
    throw new ConfigError('FUNCTION_INVALID', message, {
      cause,
      remedy: 'Make the folder, or correct write_api.functions',
    });
  }
}

function entryScript(files: readonly string[]): string {
  const loads = files.map(
    (name) => `${JSON.stringify(name)}: require(${JSON.stringify(`./${name}`)})`,
  );
  return `require(${JSON.stringify(OWN_FILES.serve)}).serve(() => ({ ${loads.join(', ')} }));`;
}

/** The app imports our types and `Reject` by name, whether or not the package is installed there. */
const ownFiles: Plugin = {
  name: 'sluice-functions',
  setup(build) {
    build.onResolve({ filter: /^@sluice\/write-api\/functions$/ }, () => ({
      path: OWN_FILES.define,
    }));
  },
};

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors);
}

function syntaxError({ errors }: BuildFailure): ConfigError {
  const problems = errors.map(problemText);
  const [first] = problems;
  return new ConfigError('FUNCTION_INVALID', problems.join('\n'), {
    details: { problems },
    remedy: `Correct ${first?.split(':')[0] ?? 'the file'}; functions import ${ENTRY_POINT}`,
  });
}

/** `orders.ts:3:14: Expected ";" but found "x"` */
function problemText({ text, location }: Message): string {
  if (location === null) return text;
  return `${location.file}:${location.line}:${location.column + 1}: ${text}`;
}
