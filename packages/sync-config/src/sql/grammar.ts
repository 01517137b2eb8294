/**
 * How tightly operators bind; higher is tighter. Binary operators associate to the left.
 */
interface Levels {
  readonly not: number;
  readonly is: number;
  readonly between: number;
  /** For the lower bound, which AND ends. */
  readonly betweenLow: number;
  readonly like: number;
  readonly in: number;
  /** Of COLLATE; undefined where it does not exist. */
  readonly collate: number | undefined;
  readonly sign: number;
}

/** What editions differ in when a text is read, as data. The names are those of the dialects. */
export interface Grammar {
  readonly levels: Levels;
  /** The levels of symbols and words between two operands, those to be refused included. */
  readonly binary: Readonly<Record<string, number>>;
  /** What a binary symbol or word means; all others are refused. */
  readonly operators: Readonly<Record<string, string>>;
  /** What a sign in front of an operand means; all others are refused. */
  readonly signs: Readonly<Record<string, string>>;
  /** Symbols and words that may stand in front of an operand. */
  readonly prefixes: readonly string[];
  readonly likeWords: readonly string[];
  /**
   * SQLite's forms: `x IN (a, b)`, IS with any right side, LIKE ... ESCAPE, COLLATE, any right side
   * of `->`, and its way of writing numbers, BLOBs, texts and comments.
   */
  readonly isSqlite: boolean;
}

const SHARED_OPERATORS: Readonly<Record<string, string>> = {
  '=': '=', '!=': '!=', '<>': '!=', '<': '<', '<=': '<=', '>': '>', '>=': '>=', and: 'and',
  or: 'or', '+': '+', '-': '-', '*': '*', '/': '/', '||': '||',
}; // prettier-ignore

/** The grammar of editions 1 to 3, which is PostgreSQL's. Source: spec/sync-config.md 3.3. */
export const POSTGRES_GRAMMAR: Grammar = {
  levels: {
    not: 3, is: 5, between: 7, betweenLow: 8, like: 9, in: 10, collate: undefined, sign: 14,
  }, // prettier-ignore
  binary: {
    or: 1, and: 2, '=': 4, '!=': 4, '<>': 4,
    '<': 6, '>': 6, '<=': 6, '>=': 6, '<<': 6, '>>': 6, '~': 6,
    '|': 8, '&': 8, '#': 8, like: 9, ilike: 9, '+': 11, '-': 11, '||': 11, '&&': 11,
    '*': 12, '/': 12, '%': 12, '^': 13, '->': 16, '->>': 16,
  }, // prettier-ignore
  operators: SHARED_OPERATORS,
  signs: {},
  prefixes: ['-', '+'],
  likeWords: [],
  isSqlite: false,
};

/**
 * SQLite's grammar, with `::`, ARRAY and `&&` of the streams language added: the same text gives
 * the same value. Source: https://www.sqlite.org/lang_expr.html#operators_and_parse_affecting_attributes
 */
export const SQLITE_GRAMMAR: Grammar = {
  levels: { not: 3, is: 4, between: 4, betweenLow: 3, like: 4, in: 4, collate: 10, sign: 11 },
  binary: {
    or: 1, and: 2, '=': 4, '==': 4, '!=': 4, '<>': 4, '&&': 4, match: 4, regexp: 4, ilike: 4,
    '<': 5, '>': 5, '<=': 5, '>=': 5, '<<': 6, '>>': 6, '|': 6, '&': 6, '#': 6,
    '+': 7, '-': 7, '*': 8, '/': 8, '%': 8, '||': 9, '->': 9, '->>': 9,
  }, // prettier-ignore
  operators: {
    ...SHARED_OPERATORS,
    '==': '=', '%': '%', '&': '&', '|': '|', '<<': '<<', '>>': '>>', is: 'is', 'is not': 'is not',
  }, // prettier-ignore
  signs: { '-': 'unary -', '+': 'unary +', '~': '~' },
  prefixes: ['-', '+', '~'],
  likeWords: ['like', 'glob'],
  isSqlite: true,
};
