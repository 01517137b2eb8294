import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { AppError, isJsonObject, systemClock, type JsonObject } from '@sluice/base';
import { InvalidArgumentError } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { DevFolder } from '../dev/dev-folder.ts';
import { signDevToken } from '../dev/dev-token.ts';
import { runTail } from '../tail/run-tail.ts';

export interface TailCommandOptions {
  readonly url?: string | undefined;
  readonly user?: string | undefined;
  readonly token?: string | undefined;
  readonly stream?: readonly StreamArgument[] | undefined;
  readonly parameters?: JsonObject | undefined;
  readonly buckets?: boolean | undefined;
  readonly all?: boolean | undefined;
  readonly dir?: string | undefined;
}

export interface StreamArgument {
  readonly stream: string;
  readonly parameters: JsonObject | null;
}

export async function tailCommand(context: CliContext, options: TailCommandOptions): Promise<void> {
  const { screen, interrupt } = context;
  const { colors } = screen;
  const folder = findFolder(context, options.dir);
  const url = (options.url ?? folder?.state()?.serviceUrl ?? 'http://localhost:8080').replace(
    /\/+$/,
    '',
  );
  const { token, who } = tokenSource(options, folder);
  screen.print(`${colors.bold(who)} at ${colors.cyan(url)} ${colors.dim('· Ctrl-C ends')}`);
  await runTail({
    screen,
    url,
    token,
    clock: systemClock,
    signal: interrupt.signal,
    clientId: randomUUID(),
    parameters: options.parameters ?? {},
    subscriptions: options.stream ?? [],
    all: options.all ?? false,
    showBuckets: options.buckets ?? false,
  });
  screen.setStatus(undefined);
}

function tokenSource(
  options: TailCommandOptions,
  folder: DevFolder | undefined,
): { readonly token: () => Promise<string>; readonly who: string } {
  const { token } = options;
  if (token !== undefined) return { token: () => Promise.resolve(token), who: 'The token’s user' };
  if (folder === undefined) throw noFolder('sluice tail');
  const user = options.user ?? folder.state()?.users[0];
  if (user === undefined) {
    throw new AppError('CLI_USAGE', 'It is not said whose rows to show', {
      remedy: 'Add --user NAME',
    });
  }
  const sign = async () => signDevToken(await folder.keyFile(), user);
  return { token: sign, who: user };
}

/** The folder named, else the nearest `.sluice`. */
export function findFolder(context: CliContext, dir: string | undefined): DevFolder | undefined {
  return dir === undefined
    ? DevFolder.find(context.cwd)
    : DevFolder.at(path.resolve(context.cwd, dir));
}

export function noFolder(command: string, remedy = NO_FOLDER_REMEDY): AppError {
  return new AppError('CLI_DEV_FOLDER', `${command} finds no .sluice folder here or above`, {
    remedy,
  });
}

const NO_FOLDER_REMEDY =
  'Start sluice dev here first (npm start), or name another service with --url and --token';

/** `name` or `name:{"json":"parameters"}` */
export function parseStreamArgument(text: string): StreamArgument {
  const colon = text.indexOf(':');
  if (colon === -1) return { stream: text, parameters: null };
  return { stream: text.slice(0, colon), parameters: parseJsonObject(text.slice(colon + 1)) };
}

export function parseJsonObject(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    if (isJsonObject(value)) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new InvalidArgumentError(`${text} is not a JSON object, e.g. {"list_id":"42"}.`);
}
