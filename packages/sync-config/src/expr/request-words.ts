/** How the data of a request is written; streams and bucket definitions have words of their own. */
export interface RequestWords {
  /** All of a column of `REQUEST_COLUMNS`. */
  all(column: string): string;
  /** One member; `key` as an SQL literal. */
  one(column: string, key: string): string;
}

const SUBJECT = "'$.sub'";

export const STREAM_WORDS: RequestWords = {
  all: (column) => `${column}.parameters()`,
  one: (column, key) => (key === SUBJECT ? `${column}.user_id()` : `${column}.parameter(${key})`),
};

/** The words of bucket definitions (spec/sync-config.md 7). */
export const DEFINITION_WORDS: RequestWords = {
  all(column) {
    if (column === 'auth') return 'request.jwt()';
    return column === 'connection' ? 'request.parameters()' : column;
  },
  one(column, key) {
    if (column === 'auth')
      return key === SUBJECT ? 'request.user_id()' : `request.jwt() ->> ${key}`;
    if (column === 'connection') return `request.parameter(${key})`;
    const name = /^'(\w+)'$/.exec(key)?.[1];
    return name === undefined ? `${column} ->> ${key}` : `${column}.${name}`;
  },
};
