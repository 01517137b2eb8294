const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const INTEGER = /^-?\d+$/;
/** No integer of fewer digits is beyond 2^53. */
const MANY_DIGITS = /\d{16}/;

/**
 * Parses JSON without losing integers: those that a double cannot hold exactly come as strings of
 * their digits.
 *
 * @throws SyntaxError as `JSON.parse`.
 */
export function parseExactJson(text: string): unknown {
  if (!MANY_DIGITS.test(text)) return JSON.parse(text);
  return JSON.parse(
    text.replace(TOKEN, (token) =>
      INTEGER.test(token) && !Number.isSafeInteger(Number(token)) ? `"${token}"` : token,
    ),
  );
}
