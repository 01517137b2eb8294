import type { ErrorCode } from '@sluice/base';

export type Environment = Readonly<Record<string, string | undefined>>;

export type EnvResult =
  | { readonly kind: 'value'; readonly value: string | number | boolean }
  | { readonly kind: 'problem'; readonly code: ErrorCode; readonly message: string };

/**
 * Resolves the text behind an `!env` tag, `NAME` or `NAME::type` with type `string`, `number` or
 * `boolean`. Only names that start with `PS_` may be read (spec/sync-config.md 19.1).
 */
export function resolveEnvTag(reference: string, env: Environment): EnvResult {
  const [name = '', type = 'string', ...rest] = reference.trim().split('::');
  if (!name.startsWith('PS_')) {
    return problem('CONFIG_ENV_FORBIDDEN', `!env may only read names that start with PS_: ${name}`);
  }
  if (rest.length > 0 || !['string', 'number', 'boolean'].includes(type)) {
    return problem('CONFIG_INVALID_VALUE', `unknown !env type in ${reference}`);
  }
  const text = env[name];
  if (text === undefined) {
    return problem('CONFIG_ENV_MISSING', `the environment variable ${name} is not set`);
  }
  return convert(name, type, text);
}

function convert(name: string, type: string, text: string): EnvResult {
  if (type === 'number') {
    const value = Number(text);
    if (text.trim() !== '' && Number.isFinite(value)) return { kind: 'value', value };
    return problem('CONFIG_INVALID_VALUE', `the environment variable ${name} is not a number`);
  }
  if (type === 'boolean') {
    const word = text.trim().toLowerCase();
    if (word === 'true' || word === '1') return { kind: 'value', value: true };
    if (word === 'false' || word === '0') return { kind: 'value', value: false };
    return problem('CONFIG_INVALID_VALUE', `the environment variable ${name} is not a boolean`);
  }
  return { kind: 'value', value: text };
}

function problem(code: ErrorCode, message: string): EnvResult {
  return { kind: 'problem', code, message };
}
