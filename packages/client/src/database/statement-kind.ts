/** White space and comments before a statement's first word. */
const LEADING = /^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?(?:\*\/|$))*/;

/**
 * `transaction` begins or ends a transaction; `savepoint` works inside one; `outside` cannot run, or has no
 * effect, inside one; everything else is `ordinary`.
 */
export type StatementKind = 'transaction' | 'savepoint' | 'outside' | 'ordinary';

export function statementKind(sql: string): StatementKind {
  const words = sql.replace(LEADING, '').slice(0, 200).toUpperCase();
  if (/^ROLLBACK\s+(TRANSACTION\s+)?TO\b/.test(words)) return 'savepoint';
  return KINDS.get(/^[A-Z]+/.exec(words)?.[0] ?? '') ?? 'ordinary';
}

const KINDS: ReadonlyMap<string, StatementKind> = new Map([
  ['BEGIN', 'transaction'],
  ['COMMIT', 'transaction'],
  ['END', 'transaction'],
  ['ROLLBACK', 'transaction'],
  ['SAVEPOINT', 'savepoint'],
  ['RELEASE', 'savepoint'],
  ['PRAGMA', 'outside'],
  ['VACUUM', 'outside'],
  ['ATTACH', 'outside'],
  ['DETACH', 'outside'],
]);
