import type { Answer, Methods } from './peer.ts';

/** Calls a method of the other side. */
export type Ask<M extends Methods> = <Name extends keyof M & string>(
  method: Name,
  parameters: Parameters<M[Name]>,
  signal?: AbortSignal,
) => Promise<Answer<M, Name>>;
