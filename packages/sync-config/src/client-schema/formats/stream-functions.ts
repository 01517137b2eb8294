import type { ClientSchema, StreamParameter } from '../client-schema.ts';
import { identifiers, type NamingStyle } from './identifiers.ts';

/** A stream as a function that gives a handle to subscribe with (spec/sync-config.md 17.5). */
export interface StreamFunction {
  readonly identifier: string;
  /** The stream's own name. */
  readonly name: string;
  readonly parameters: readonly FunctionParameter[];
}

export interface FunctionParameter extends StreamParameter {
  readonly identifier: string;
}

export function streamFunctions(
  { streams }: ClientSchema,
  functionNames: NamingStyle,
  parameterNames: NamingStyle,
): readonly StreamFunction[] {
  const names = identifiers(
    streams.map(({ name }) => name),
    functionNames,
  );
  return streams.map(({ name, parameters }, i) => {
    const own = identifiers(
      parameters.map((parameter) => parameter.name),
      parameterNames,
    );
    return {
      identifier: names[i] ?? name,
      name,
      parameters: parameters.map((p, j) => ({ ...p, identifier: own[j] ?? p.name })),
    };
  });
}
