import type { Fix, Span } from '../diagnostics.ts';
import type { KeyRule, KeyTable } from './config-keys.ts';
import type { Fields, YamlReader } from './yaml-reader.ts';

/** Which edition a file has, and how one would change that. */
export interface EditionInFile {
  readonly edition: number;
  /** Where the edition is written; undefined where the file leaves it out. */
  readonly span: Span | undefined;
  /** Where `config` could be put. */
  readonly top: number;
  /** Where the first key of `config` stands, and what separates it from another. */
  readonly firstKey: { readonly at: number; readonly separator: string } | undefined;
  /** The file cannot simply move on: it has definitions of the older dialect. */
  readonly isBound: boolean;
}

/** Reports keys that the edition does not have, each kind of key once per file. */
export class EditionRules {
  readonly #reader: YamlReader;
  readonly #file: EditionInFile;
  readonly #reported = new Set<string>();

  constructor(reader: YamlReader, file: EditionInFile) {
    this.#reader = reader;
    this.#file = file;
  }

  check(fields: Fields, table: KeyTable): void {
    for (const [key, rule] of Object.entries(table)) {
      const entry = fields.get(key);
      if (entry !== undefined) this.#checkKey(key, rule, entry.keySpan);
    }
  }

  #checkKey(key: string, { fromEdition, upToEdition, replacement }: KeyRule, span: Span): void {
    const { edition, span: written } = this.#file;
    const { diagnostics } = this.#reader;
    if (upToEdition !== undefined && edition > upToEdition) {
      const message = `Edition ${edition} has no ${key}`;
      diagnostics.error('EDITION', span, message, replacement);
    }
    if (fromEdition === undefined || edition >= fromEdition) return;
    if (this.#reported.has('streams') || this.#reported.has(key)) return;
    this.#reported.add(key);
    const wanted = Math.max(3, fromEdition);
    const known = written === undefined ? 'without config: edition it is' : 'this is';
    const message = `${key} needs edition ${wanted}; ${known} edition ${edition}`;
    diagnostics.error('EDITION', span, message, this.upgradeFix(wanted));
  }

  /** How to set the edition. */
  upgradeFix(edition: number): Fix {
    const { span, top, firstKey, isBound } = this.#file;
    const text = `Set config: { edition: ${edition} }`;
    if (isBound) return { text: `${text} and rewrite bucket_definitions as streams` };
    if (span !== undefined) return { text, edit: { ...span, text: String(edition) } };
    const { at, separator } = firstKey ?? { at: top, separator: '' };
    const inserted =
      firstKey === undefined
        ? `config:\n  edition: ${edition}\n`
        : `edition: ${edition}${separator}`;
    return { text, edit: { start: at, end: at, text: inserted } };
  }
}
