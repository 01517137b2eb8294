import { StreamFailure } from './transport.ts';

const MAX_TEXT = 500;

/** What a response other than 200 says (spec/protocol.md 1.4). */
export function refusal(status: number, text: string): StreamFailure {
  const described = description(text) ?? text;
  const message = `The service answered ${status}: ${described.slice(0, MAX_TEXT)}`;
  const unauthorized = status === 401;
  return new StreamFailure(unauthorized ? 'UNAUTHORIZED' : 'SERVICE', message, { unauthorized });
}

function description(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as {
      error?: { code?: unknown; description?: unknown; details?: unknown };
    };
    const parts = [error?.code, error?.description, error?.details];
    const texts = parts.filter((part) => typeof part === 'string');
    return texts.length === 0 ? undefined : texts.join(' ');
  } catch {
    return undefined; // not every proxy answers in JSON
  }
}
