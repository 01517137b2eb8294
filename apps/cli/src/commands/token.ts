import type { CliContext } from '../cli-context.ts';
import { signDevToken } from '../dev/dev-token.ts';
import { findFolder, noFolder } from './tail.ts';

/** Prints nothing but the token, so that it can be used in `$(…)`. */
export async function tokenCommand(
  context: CliContext,
  options: { readonly user: string; readonly dir?: string | undefined },
): Promise<void> {
  const folder = findFolder(context, options.dir);
  if (folder === undefined) throw noFolder('sluice token');
  context.screen.print(await signDevToken(await folder.keyFile(), options.user));
}
