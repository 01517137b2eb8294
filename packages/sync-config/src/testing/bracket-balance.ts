/** How a language writes comments and texts. */
const LEXICAL = {
  /** JavaScript, Dart, Kotlin, Swift, C#: texts with backslashes. */
  braces: /\/\/.*|\/\*[^]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g,
  sql: /--.*|"(?:""|[^"])*"/g,
} as const;

const CLOSING: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };

/** What is wrong with the brackets and quotes outside of texts and comments; undefined if nothing. */
export function imbalance(text: string, language: keyof typeof LEXICAL): string | undefined {
  const code = text.replace(LEXICAL[language], '');
  const open: string[] = [];
  for (const c of code) {
    if (c === '(' || c === '[' || c === '{') open.push(c);
    if (CLOSING[c] !== undefined && open.pop() !== CLOSING[c]) return `${c} too much`;
    if (c === '"' || c === "'" || c === '`') return `an open ${c}`;
  }
  return open.length === 0 ? undefined : `${open.join(' ')} not closed`;
}
