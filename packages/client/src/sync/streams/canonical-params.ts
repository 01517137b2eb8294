import { ClientError } from '../../errors.ts';

export type StreamParams = Readonly<Record<string, unknown>>;

/** What the service takes for parameters, whichever way they are written down: no parameters are the word null. */
export const NO_PARAMS = 'null';

/**
 * Parameters as JSON text that is the same for equal parameters: keys are sorted, undefined ones left out.
 *
 * @throws ClientError `PARAMETER` for what JSON does not have
 */
export function canonicalParams(params: StreamParams | null | undefined): string {
  if (params === null || params === undefined) return NO_PARAMS;
  const text = canonical(params, 'parameters');
  return text === '{}' ? NO_PARAMS : text;
}

function canonical(value: unknown, path: string): string {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') {
    return JSON.stringify(value);
  }
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    return `[${items.map((item, index) => canonical(item, `${path}[${index}]`)).join(',')}]`;
  }
  if (typeof value === 'object' && isPlain(value)) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    const members = entries
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => `${JSON.stringify(key)}:${canonical(item, `${path}.${key}`)}`);
    return `{${members.join(',')}}`;
  }
  throw new ClientError('PARAMETER', `Stream parameters are JSON, which ${path} is not`);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
