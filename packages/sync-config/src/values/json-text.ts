/** Anything that JSON escapes, and surrogates, of which it escapes the lone ones. */
const NEEDS_CARE = /[^\u0020\u0021\u0023-\u005b\u005d-\ud7ff\ue000-\uffff]/;
/** Above this, the search costs what it saves. */
const SHORT = 100;

/** `JSON.stringify` of a text: the same, in half the time for the short plain texts that rows hold. */
export function jsonText(text: string): string {
  return text.length > SHORT || NEEDS_CARE.test(text) ? JSON.stringify(text) : `"${text}"`;
}

/** The digits of an INTEGER; those within a double's 53 bits are formatted much faster as one. */
export function integerText(value: bigint): string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? String(number) : String(value);
}
