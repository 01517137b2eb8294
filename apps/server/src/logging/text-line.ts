import { isJsonObject, type JsonValue } from '@sluice/base';

/**
 * `12:34:56.789 warn  replication_failed SOURCE_UNREACHABLE: The database … (do this)  attempt=3`
 *
 * Code, message and remedy read as a sentence; a stack comes on its own lines.
 */
export function formatTextLine(line: string): string {
  const entry: unknown = JSON.parse(line);
  if (!isJsonObject(entry)) return line;
  const { level, time, event, code, message, remedy, stack, ...facts } = entry;
  const sentence = [code, message]
    .filter((part) => part !== undefined)
    .map(plainText)
    .join(': ');
  const pairs = Object.entries(facts).map(([name, value]) => `${name}=${factText(value)}`);
  const parts = [
    `${plainText(time).slice(11, 23)} ${plainText(level).padEnd(5)} ${plainText(event)}`,
    sentence,
    remedy === undefined ? '' : `(${plainText(remedy)})`,
    pairs.length === 0 ? '' : ` ${pairs.join(' ')}`,
  ];
  const text = parts.filter((part) => part !== '').join(' ');
  return stack === undefined ? `${text}\n` : `${text}\n${plainText(stack)}\n`;
}

function plainText(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

function factText(value: JsonValue): string {
  return typeof value === 'string' && /^[^\s="]+$/.test(value) ? value : JSON.stringify(value);
}
