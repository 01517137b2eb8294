import { z } from 'zod';

/** Keys of the config with what docs/config.md says of them; all are optional. */
export const key = <T extends z.ZodType>(
  schema: T,
  type: string,
  meaning: string,
  fallback?: string,
) =>
  schema
    .meta({ type, meaning, ...(fallback === undefined ? {} : { default: fallback }) })
    .optional();

export const text = (meaning: string, fallback?: string) =>
  key(z.string().min(1), 'text', meaning, fallback);
export const flag = (meaning: string, fallback = 'false') =>
  key(z.boolean(), 'boolean', meaning, fallback);
export const list = (meaning: string, fallback?: string) =>
  key(z.array(z.string()), 'list of text', meaning, fallback);
export const integer = (min: number, max: number, meaning: string, fallback?: string) =>
  key(z.int().min(min).max(max), `integer, ${min} to ${max}`, meaning, fallback);
