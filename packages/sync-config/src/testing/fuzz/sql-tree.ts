/** Who reads the text: our compiler, or SQLite. They differ where our language has its own forms. */
export type Reader = 'ours' | 'sqlite';

/** A random expression as pieces of SQL, so that it can be made smaller when it fails. */
export interface SqlTree {
  readonly parts: readonly (string | SqlTree | Readonly<Record<Reader, string>>)[];
}

/** `sql`, with `#` standing for the next of the children. */
export function tree(sql: string, ...children: readonly SqlTree[]): SqlTree {
  const parts = sql.split('#').flatMap((text, i) => {
    const child = children[i - 1];
    return i === 0 || child === undefined ? [text] : [child, text];
  });
  return { parts };
}

export function renderSql({ parts }: SqlTree, reader: Reader): string {
  return parts
    .map((part) => {
      if (typeof part === 'string') return part;
      return 'parts' in part ? renderSql(part, reader) : part[reader];
    })
    .join('');
}

/** Smaller trees: one part replaced by NULL, by one of its own parts, or made smaller itself. */
export function* smallerTrees(whole: SqlTree): Generator<SqlTree> {
  yield* childrenOf(whole);
  for (const [i, part] of whole.parts.entries()) {
    if (typeof part === 'string' || !('parts' in part)) continue;
    const replace = (by: SqlTree): SqlTree => ({ parts: whole.parts.with(i, by) });
    if (renderSql(part, 'ours').length > 4) yield replace({ parts: ['NULL'] });
    for (const smaller of smallerTrees(part)) yield replace(smaller);
  }
}

function childrenOf({ parts }: SqlTree): SqlTree[] {
  return parts.flatMap((part) => (typeof part !== 'string' && 'parts' in part ? [part] : []));
}
