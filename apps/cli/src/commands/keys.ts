import { existsSync } from 'node:fs';
import path from 'node:path';
import { AppError, must } from '@sluice/base';
import {
  environmentLines,
  KEY_ALGORITHMS,
  keyStates,
  newStoredKey,
  PUBLISHED_BEFORE_SIGNING_SECONDS,
  readKeyFile,
  rotateKeys,
  writeKeyFile,
  type KeyAlgorithm,
  type KeyState,
} from '@sluice/write-api';
import type { CliContext } from '../cli-context.ts';
import { formatTable } from '../terminal/table.ts';

export interface GenerateKeysOptions {
  readonly alg: KeyAlgorithm;
  readonly out: string;
  readonly env?: boolean | undefined;
}

/** Makes a first key, in a file or (`--env`) as lines that hold the secret. */
export async function generateKeys(
  { screen, cwd }: CliContext,
  options: GenerateKeysOptions,
): Promise<void> {
  const file = path.resolve(cwd, options.out);
  if (!options.env && existsSync(file)) {
    throw new AppError('CLI_USAGE', `${options.out} exists already`, {
      remedy: `Make a new key in it with sluice keys rotate ${options.out}, or name another file with --out`,
    });
  }
  const nowMs = Date.now();
  const key = await newStoredKey({ alg: options.alg, nowMs, signsFromMs: nowMs });
  if (options.env) {
    screen.print((await environmentLines({ ...key.jwk })).trimEnd());
    return;
  }
  await writeKeyFile(file, [key]);
  screen.print(
    `${screen.colors.green('✓')} ${options.out} written, with the ${options.alg} key ${key.jwk.kid}`,
  );
  screen.print(
    '  It is secret: keep it out of version control. In the service configuration, write:',
  );
  screen.print(`    write_api: { tokens: { keys: ${options.out} } }`);
}

export interface RotateKeysOptions {
  readonly alg?: KeyAlgorithm | undefined;
  /** Seconds until the new key signs. */
  readonly after?: number | undefined;
  readonly retire?: boolean | undefined;
}

export async function rotateKeysCommand(
  { screen, cwd }: CliContext,
  file: string,
  options: RotateKeysOptions,
): Promise<void> {
  const { after, retire = false } = options;
  if (retire && after !== undefined) {
    throw new AppError(
      'CLI_USAGE',
      'With --retire the new key signs at once, so --after has no use',
    );
  }
  const absolute = path.resolve(cwd, file);
  const { keys } = await readKeyFile(absolute);
  const nowMs = Date.now();
  const signsFromMs = nowMs + (after ?? PUBLISHED_BEFORE_SIGNING_SECONDS) * 1000;
  const alg = options.alg ?? newestAlgorithm(keyStates(keys, nowMs));
  const rotated = await rotateKeys(keys, { alg, nowMs, signsFromMs, retire });
  await writeKeyFile(absolute, rotated);
  const { kid } = must(rotated.at(-1)).jwk;
  screen.print(`${screen.colors.green('✓')} ${file} has the new ${alg} key ${kid}`);
  screen.print(
    retire
      ? `  It signs from now on. ${keys.length} older gone: clients with their tokens fetch new ones.`
      : `  It signs from ${timeText(signsFromMs)} on. Older tokens stay good until they end.`,
  );
}

export async function listKeys({ screen, cwd }: CliContext, file: string): Promise<void> {
  const { keys } = await readKeyFile(path.resolve(cwd, file));
  const rows = keyStates(keys, Date.now()).map((key) => [
    key.kid,
    key.alg,
    timeText(key.createdAtMs),
    stateText(key),
  ]);
  for (const line of formatTable(['key', 'alg', 'made', 'state'], rows)) screen.print(line);
}

function newestAlgorithm(states: readonly KeyState[]): KeyAlgorithm {
  const newest = states.at(-1)?.alg;
  return KEY_ALGORITHMS.find((alg) => alg === newest) ?? 'ES256';
}

function stateText({ state, signsFromMs, endsAtMs }: KeyState): string {
  switch (state) {
    case 'signs':
      return Number.isFinite(endsAtMs) ? 'signs, until the next one does' : 'signs';
    case 'next':
      return `published, signs from ${timeText(signsFromMs)}`;
    case 'old':
      return `accepted until ${timeText(endsAtMs)}`;
    case 'ended':
      return 'ended, goes at the next rotation';
  }
}

/** UTC to the second. */
function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
