import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError, must } from '@sluice/base';
import { ConfigFileError, type ConfigText } from './config-problem.ts';
import { CONFIG_SCHEMA, type RawConfig } from './config-schema.ts';
import { crossChecks } from './cross-checks.ts';
import type { Environment } from './env-tag.ts';
import { normalizeConfig } from './normalize-config.ts';
import { schemaProblems } from './schema-problems.ts';
import type { ServiceConfig, SyncConfigSource } from './service-config.ts';
import { parseYamlDocument } from './yaml-document.ts';

export interface LoadConfigOptions {
  readonly env: Environment;
  /** Where file names begin. */
  readonly cwd: string;
  /** The text itself; no file is looked for then. */
  readonly configText?: string | undefined;
  /** Like POWERSYNC_CONFIG_B64, and before it. */
  readonly configBase64?: string | undefined;
  /** Like POWERSYNC_CONFIG_PATH, and before it. */
  readonly configPath?: string | undefined;
  /** Like POWERSYNC_SYNC_CONFIG_B64, and before it. */
  readonly syncConfigBase64?: string | undefined;
}

/** Names that are looked for in the working directory when nothing else is said. */
export const CONFIG_FILE_NAMES = ['sluice.yaml', 'sluice.yml', 'powersync.yaml'] as const;

/**
 * Finds, reads and checks the service configuration (spec/sync-config.md 19.1): base64 text, then
 * a path, then a file of `CONFIG_FILE_NAMES`.
 *
 * @throws ConfigFileError with all problems of the file; ConfigError `CONFIG_FILE_MISSING`.
 */
export async function loadServiceConfig(options: LoadConfigOptions): Promise<ServiceConfig> {
  const { file, baseDir } = await findConfigText(options);
  const raw = parseConfigText(file, options.env);
  const syncConfig = await readSyncConfig(raw, baseDir, options);
  return normalizeConfig(raw, { baseDir, env: options.env, syncConfig });
}

/**
 * Checks the text of a service configuration without reading any other file.
 *
 * @throws ConfigFileError with all problems at once.
 */
export function parseConfigText(file: ConfigText, env: Environment): RawConfig {
  const document = parseYamlDocument(file.text, env);
  if (document.value === undefined) throw new ConfigFileError(file, document.problems);
  const root = document.value ?? {};
  const parsed = CONFIG_SCHEMA.safeParse(root);
  const problems = [
    ...document.problems,
    ...(parsed.success ? [] : schemaProblems(document, CONFIG_SCHEMA, parsed.error.issues)),
    ...crossChecks(document),
  ].sort((a, b) => a.line - b.line || a.column - b.column);
  if (problems.length > 0) throw new ConfigFileError(file, problems);
  return must(parsed.data, 'the data of a file without problems');
}

interface FoundConfig {
  readonly file: ConfigText;
  readonly baseDir: string;
}

async function findConfigText(options: LoadConfigOptions): Promise<FoundConfig> {
  const { env, cwd, configText } = options;
  if (configText !== undefined) {
    return { file: { name: 'the configuration', text: configText }, baseDir: cwd };
  }
  const base64 = options.configBase64 ?? present(env['POWERSYNC_CONFIG_B64']);
  if (options.configPath === undefined && base64 !== undefined) {
    return { file: { name: 'the base64 configuration', text: decode(base64) }, baseDir: cwd };
  }
  const named = options.configPath ?? present(env['POWERSYNC_CONFIG_PATH']);
  const candidates = named === undefined ? CONFIG_FILE_NAMES : [named];
  for (const name of candidates) {
    const file = path.resolve(cwd, name);
    const text = await readIfPresent(file);
    if (text !== undefined) return { file: { name, text }, baseDir: path.dirname(file) };
  }
  throw new ConfigError('CONFIG_FILE_MISSING', `There is no file ${candidates.join(' or ')}`, {
    details: { cwd, candidates },
    remedy:
      named === undefined
        ? 'Run `sluice init --db URL`, or name the file with --config; see docs/operations.md'
        : `Correct the path; it is taken from ${cwd}`,
  });
}

async function readSyncConfig(
  raw: RawConfig,
  baseDir: string,
  options: LoadConfigOptions,
): Promise<SyncConfigSource | undefined> {
  const section = raw.sync_config ?? raw.sync_rules;
  const exitOnError = section?.exit_on_error ?? true;
  const { env } = options;
  const base64 =
    options.syncConfigBase64 ??
    present(env['POWERSYNC_SYNC_CONFIG_B64']) ??
    present(env['POWERSYNC_SYNC_RULES_B64']);
  if (base64 !== undefined) return { text: decode(base64), exitOnError };
  if (section?.content !== undefined) return { text: section.content, exitOnError };
  if (section?.path === undefined) return undefined;
  const file = path.resolve(baseDir, section.path);
  const text = await readIfPresent(file);
  if (text === undefined) {
    throw new ConfigError('CONFIG_FILE_MISSING', `There is no sync config file ${section.path}`, {
      details: { file },
      remedy: `Make it, or correct sync_config.path; it was looked for at ${file}`,
    });
  }
  return { text, path: file, exitOnError };
}

/** The content, or undefined when there is no such file. */
async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ConfigError('CONFIG_FILE_MISSING', `The file ${file} could not be read`, {
      cause,
      details: { file, reason: (cause as NodeJS.ErrnoException).code },
    });
  }
}

function present(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text;
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}
