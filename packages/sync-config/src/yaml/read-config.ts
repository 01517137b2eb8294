import { isMap } from 'yaml';
import type { Diagnostics, Span } from '../diagnostics.ts';
import type {
  BucketDefinitionDocument,
  ConfigDocument,
  CteDocument,
  EventDocument,
  StreamDocument,
} from './config-document.ts';
import { CONFIG_KEYS, DEFINITION_KEYS, EVENT_KEYS, STREAM_KEYS, TOP_KEYS } from './config-keys.ts';
import { EditionRules } from './edition-rules.ts';
import { readEdition, readOptions } from './read-options.ts';
import { YamlReader, type Fields, type YamlEntry } from './yaml-reader.ts';
import { parseYaml } from './yaml-repairs.ts';

/**
 * Reads the YAML file and checks its shape; undefined when there is nothing to compile. What the
 * YAML parser could not make sense of is reported, and the rest is read.
 */
export function readConfig(yaml: string, diagnostics: Diagnostics): ConfigDocument | undefined {
  const parsed = parseYaml(yaml);
  for (const { span, message, fix } of parsed.problems) {
    diagnostics.error('YAML_SYNTAX', span, message, fix);
  }
  for (const { span, message, fix } of parsed.warnings) {
    diagnostics.warn('YAML_SYNTAX', span, message, fix);
  }
  diagnostics.readFrom(parsed.toFile);
  const reader = new YamlReader(parsed, diagnostics);
  const whole = { start: 0, end: Math.min(yaml.length, 1) };
  const { contents } = parsed.document;
  if (parsed.problems.length > 0 && !isMap(contents)) return undefined;
  const root = reader.fields(contents, 'The sync config', TOP_KEYS, whole);
  return root && new ConfigReader(reader, root, whole).read();
}

class ConfigReader {
  readonly #reader: YamlReader;
  readonly #root: Fields;
  readonly #whole: Span;
  readonly #editions: EditionRules;
  readonly #edition: number;
  readonly #config: Fields;

  constructor(reader: YamlReader, root: Fields, whole: Span) {
    this.#reader = reader;
    this.#root = root;
    this.#whole = whole;
    const config = root.get('config');
    const fields = config && reader.fields(config.value, 'config', CONFIG_KEYS, config.keySpan);
    this.#config = fields ?? new Map();
    const entry = this.#config.get('edition');
    const isUnknown = config !== undefined && fields === undefined;
    const edition = isUnknown ? undefined : readEdition(reader, entry);
    this.#edition = edition ?? likelyEdition(root);
    this.#editions = new EditionRules(reader, {
      edition: this.#edition,
      span: entry && reader.span(entry.value, entry.keySpan),
      top: [...root.values()][0]?.keySpan.start ?? 0,
      firstKey: config && this.#firstKey(config),
      isBound: root.has('bucket_definitions'),
    });
  }

  read(): ConfigDocument {
    const definitions = this.#root.get('bucket_definitions');
    const streams = this.#root.get('streams');
    if (definitions === undefined && streams === undefined && this.#reader.isWholeReadable) {
      const message = 'The sync config has neither streams nor bucket_definitions';
      const fix = 'Add streams: with at least one stream';
      this.#reader.diagnostics.error('YAML_SCHEMA', this.#whole, message, fix);
    }
    const edition = this.#edition;
    this.#editions.check(this.#root, TOP_KEYS);
    if (edition === 2 && streams !== undefined) {
      const message = 'Streams of edition 2 are an early version of the language';
      const fix = this.#editions.upgradeFix(3);
      this.#reader.diagnostics.warn('EDITION_UPGRADE', streams.keySpan, message, fix);
    }
    const { options, sqliteExpressions } = readOptions(this.#reader, this.#config, edition);
    const document: ConfigDocument = {
      // What does not fit the edition has been reported; it is read as what it is meant to be.
      edition: edition === 1 && streams !== undefined ? 3 : edition,
      options,
      sqliteExpressions,
      bucketDefinitions: this.#each(definitions, (entry) => this.#definition(entry)),
      streams: this.#each(streams, (entry) => this.#stream(entry)),
      events: this.#each(this.#root.get('event_definitions'), (entry) => this.#event(entry)),
      ctes: this.#ctes(this.#root.get('with')),
    };
    this.#checkNames(document);
    return document;
  }

  /** Where a further key of `config` can be inserted. */
  #firstKey(config: YamlEntry): { at: number; separator: string } | undefined {
    const map = this.#reader.resolve(config.value);
    if (!isMap(map)) return undefined;
    const [first] = map.items;
    if (first === undefined) return undefined;
    const at = this.#reader.span(first.key, config.keySpan).start;
    const lineStart = this.#reader.text.lastIndexOf('\n', at - 1) + 1;
    const indent = ' '.repeat(at - lineStart);
    return { at, separator: map.flow === true ? ', ' : `\n${indent}` };
  }

  #each<T>(entry: YamlEntry | undefined, read: (entry: YamlEntry) => T | undefined): T[] {
    if (entry === undefined) return [];
    const entries = this.#reader.entries(entry.value, entry.key, entry.keySpan) ?? [];
    return entries
      .filter((item) => this.#reader.isReadable(item))
      .map(read)
      .filter((item) => item !== undefined);
  }

  #definition(entry: YamlEntry): BucketDefinitionDocument | undefined {
    const reader = this.#reader;
    const at = entry.keySpan;
    const what = `The bucket definition ${entry.key}`;
    const fields = reader.fields(entry.value, what, DEFINITION_KEYS, at);
    if (fields === undefined) return undefined;
    return {
      name: entry.key,
      nameSpan: at,
      parameters: this.#parameters(fields.get('parameters')),
      data: this.#queryList(fields.get('data'), 'A data query'),
      priority: this.#priority(fields.get('priority')),
      acceptsDangerousQueries: this.#flag(fields, 'accept_potentially_dangerous_queries'),
    };
  }

  #parameters(entry: YamlEntry | undefined): BucketDefinitionDocument['parameters'] {
    if (entry === undefined) return undefined;
    const items = this.#reader.sequence(entry.value) ?? [entry.value];
    if (items.length === 0) {
      const message = 'parameters is an empty list, so that there would be no bucket at all';
      this.#reader.diagnostics.error('YAML_SCHEMA', entry.keySpan, message, 'Remove the key');
    }
    return this.#reader.sqlList(items, 'A parameter query', entry.keySpan);
  }

  #queryList(entry: YamlEntry | undefined, what: string): BucketDefinitionDocument['data'] {
    if (entry === undefined) return [];
    const items = this.#reader.sequence(entry.value);
    if (items !== undefined) return this.#reader.sqlList(items, what, entry.keySpan);
    const span = this.#reader.span(entry.value, entry.keySpan);
    const message = `${entry.key} must be a list of queries`;
    const fix = 'Write each query on a line of its own, after a - and a blank';
    this.#reader.diagnostics.error('YAML_SCHEMA', span, message, fix);
    return [];
  }

  #priority(entry: YamlEntry | undefined): number | undefined {
    return entry && this.#reader.choice(entry, [0, 1, 2, 3], 'PRIORITY');
  }

  #flag(fields: Fields, key: 'auto_subscribe' | 'accept_potentially_dangerous_queries'): boolean {
    const entry = fields.get(key);
    const byDefault: boolean = STREAM_KEYS[key].default;
    return entry === undefined ? byDefault : this.#reader.boolean(entry, byDefault, 'YAML_SCHEMA');
  }

  #stream(entry: YamlEntry): StreamDocument | undefined {
    const at = entry.keySpan;
    const fields = this.#reader.fields(entry.value, `The stream ${entry.key}`, STREAM_KEYS, at);
    if (fields === undefined) return undefined;
    this.#editions.check(fields, STREAM_KEYS);
    return {
      name: entry.key,
      nameSpan: at,
      queries: this.#queries(fields, entry),
      ctes: this.#ctes(fields.get('with')),
      autoSubscribe: this.#flag(fields, 'auto_subscribe'),
      priority: this.#priority(fields.get('priority')) ?? 3,
      acceptsDangerousQueries: this.#flag(fields, 'accept_potentially_dangerous_queries'),
    };
  }

  #queries(fields: Fields, entry: YamlEntry): StreamDocument['queries'] {
    const query = fields.get('query');
    const queries = fields.get('queries');
    const { diagnostics } = this.#reader;
    if (query === undefined && queries === undefined) {
      const message = `The stream ${entry.key} has no query`;
      diagnostics.error('YAML_SCHEMA', entry.keySpan, message, 'Write query: and a SELECT');
    } else if (query !== undefined && queries !== undefined) {
      const message = `The stream ${entry.key} has both query and queries`;
      diagnostics.error('YAML_SCHEMA', query.keySpan, message, 'Move the query into queries');
    }
    const single = query && this.#reader.sql(query.value, 'query', query.keySpan);
    const list = this.#queryList(queries, 'A query');
    return single === undefined ? list : [single, ...list];
  }

  #event(entry: YamlEntry): EventDocument | undefined {
    const what = `The event ${entry.key}`;
    const fields = this.#reader.fields(entry.value, what, EVENT_KEYS, entry.keySpan);
    if (fields === undefined) return undefined;
    return { name: entry.key, payloads: this.#queryList(fields.get('payloads'), 'A payload') };
  }

  #ctes(entry: YamlEntry | undefined): CteDocument[] {
    return this.#each(entry, ({ key, keySpan, value }) => {
      const query = this.#reader.sql(value, `The CTE ${key}`, keySpan);
      return query && { name: key, nameSpan: keySpan, query };
    });
  }

  #checkNames(document: ConfigDocument): void {
    const taken = new Set(document.bucketDefinitions.map(({ name }) => name));
    for (const { name, nameSpan } of document.streams) {
      if (!taken.has(name)) continue;
      const message = `${name} is also the name of a bucket definition`;
      this.#reader.diagnostics.error('DUPLICATE_NAME', nameSpan, message, 'Rename one of them');
    }
  }
}

/** Where the edition is not known: the one in which the file makes sense. */
function likelyEdition(root: Fields): number {
  if (!root.has('bucket_definitions')) return 3;
  return root.has('streams') ? 2 : 1;
}
