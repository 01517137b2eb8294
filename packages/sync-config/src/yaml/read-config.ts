import { parseDocument } from 'yaml';
import type { Diagnostics, Span } from '../diagnostics.ts';
import type {
  BucketDefinitionDocument,
  ConfigDocument,
  CteDocument,
  EventDocument,
  StreamDocument,
} from './config-document.ts';
import { readOptions } from './read-options.ts';
import { YamlReader, type YamlEntry } from './yaml-reader.ts';

const TOP_KEYS = ['config', 'bucket_definitions', 'streams', 'with', 'event_definitions'];
const DEFINITION_KEYS = ['data', 'parameters', 'priority', 'accept_potentially_dangerous_queries'];
const EVENT_KEYS = ['payloads'];
const STREAM_KEYS = [
  'query', 'queries', 'with', 'auto_subscribe', 'priority', 'accept_potentially_dangerous_queries',
]; // prettier-ignore

/** A tag that other tools put in front of queries; it says nothing here. */
const KNOWN_TAG = '!accept_potentially_dangerous_queries';

/** Reads the YAML file and checks its shape; undefined when there is nothing to compile. */
export function readConfig(yaml: string, diagnostics: Diagnostics): ConfigDocument | undefined {
  const document = parseDocument(yaml, { prettyErrors: false, logLevel: 'error' });
  for (const { pos, message } of document.errors) {
    diagnostics.error('YAML_SYNTAX', wordAt(yaml, pos), message);
  }
  if (document.errors.length > 0) return undefined;
  for (const { pos, message } of document.warnings) {
    if (message.includes(KNOWN_TAG)) continue;
    diagnostics.warn('YAML_SYNTAX', wordAt(yaml, pos), message);
  }
  const reader = new YamlReader(yaml, document, diagnostics);
  const whole = { start: 0, end: Math.min(yaml.length, 1) };
  const root = reader.fields(document.contents, 'The sync config', TOP_KEYS, whole);
  return root && readRoot(reader, root, whole);
}

/** The YAML parser points at one character of a word, or just behind the text. */
function wordAt(yaml: string, [from, to]: readonly [number, number]): Span {
  const start = Math.min(from, yaml.length);
  const word = /^[\w.-]+/.exec(yaml.slice(start));
  return { start, end: Math.min(Math.max(to, start + (word?.[0].length ?? 0)), yaml.length) };
}

type Fields = ReadonlyMap<string, YamlEntry>;

function readRoot(reader: YamlReader, root: Fields, whole: Span): ConfigDocument {
  const definitions = root.get('bucket_definitions');
  const streams = root.get('streams');
  const likelyEdition = definitions === undefined ? 3 : streams === undefined ? 1 : 2;
  const { edition, sqliteExpressions, options } = readOptions(
    reader,
    root.get('config'),
    likelyEdition,
  );
  if (definitions === undefined && streams === undefined) {
    const message = 'The sync config has neither streams nor bucket_definitions';
    reader.diagnostics.error(
      'YAML_SCHEMA',
      whole,
      message,
      'Add streams: with at least one stream',
    );
  }
  checkEditions(reader, root, edition);
  const document: ConfigDocument = {
    edition,
    sqliteExpressions,
    options,
    bucketDefinitions: readEach(reader, definitions, (entry) => readDefinition(reader, entry)),
    streams: readEach(reader, streams, (entry) => readStream(reader, entry, edition)),
    events: readEach(reader, root.get('event_definitions'), (entry) => readEvent(reader, entry)),
    ctes: readCtes(reader, root.get('with')),
  };
  checkNames(reader, document);
  return document;
}

function checkEditions(reader: YamlReader, root: Fields, edition: number): void {
  const refuse = (key: string, message: string, fix: string) => {
    const entry = root.get(key);
    if (entry !== undefined) reader.diagnostics.error('EDITION', entry.keySpan, message, fix);
  };
  const upgrade = 'Set config: { edition: 3 }';
  if (edition >= 3) {
    refuse(
      'bucket_definitions',
      `Edition ${edition} has no bucket_definitions`,
      'Rewrite them as streams',
    );
  } else {
    refuse('with', `CTEs need edition 3, this is edition ${edition}`, upgrade);
  }
  if (edition === 1) refuse('streams', 'Streams need edition 3, this is edition 1', upgrade);
  const streams = root.get('streams');
  if (edition === 2 && streams !== undefined) {
    const message = 'Streams of edition 2 are an early version of the language';
    reader.diagnostics.warn('EDITION_UPGRADE', streams.keySpan, message, upgrade);
  }
}

function readEach<T>(
  reader: YamlReader,
  entry: YamlEntry | undefined,
  read: (entry: YamlEntry) => T | undefined,
): T[] {
  if (entry === undefined) return [];
  const entries = reader.entries(entry.value, entry.key, entry.keySpan) ?? [];
  return entries.map(read).filter((item) => item !== undefined);
}

function readDefinition(
  reader: YamlReader,
  entry: YamlEntry,
): BucketDefinitionDocument | undefined {
  const at = entry.keySpan;
  const what = `The bucket definition ${entry.key}`;
  const fields = reader.fields(entry.value, what, DEFINITION_KEYS, at);
  if (fields === undefined) return undefined;
  const data = fields.get('data');
  const dataItems = data && reader.sequence(data.value);
  if (dataItems === undefined) {
    const span = data === undefined ? at : reader.span(data.value, data.keySpan);
    const message = data === undefined ? `${what} has no data` : 'data must be a list of queries';
    reader.diagnostics.error('YAML_SCHEMA', span, message, 'Write data: and a list of SELECTs');
  }
  return {
    name: entry.key,
    nameSpan: at,
    parameters: readParameters(reader, fields.get('parameters')),
    data: reader.sqlList(dataItems ?? [], 'A data query', data?.keySpan ?? at),
    priority: readPriority(reader, fields.get('priority')),
    acceptsDangerousQueries: reader.boolean(
      fields.get('accept_potentially_dangerous_queries'),
      false,
    ),
  };
}

function readParameters(
  reader: YamlReader,
  entry: YamlEntry | undefined,
): BucketDefinitionDocument['parameters'] {
  if (entry === undefined) return undefined;
  const items = reader.sequence(entry.value) ?? [entry.value];
  if (items.length === 0) {
    const message = 'parameters is an empty list';
    reader.diagnostics.error('YAML_SCHEMA', entry.keySpan, message, 'Remove the key');
  }
  return reader.sqlList(items, 'A parameter query', entry.keySpan);
}

function readPriority(reader: YamlReader, entry: YamlEntry | undefined): number | undefined {
  if (entry === undefined) return undefined;
  const value = reader.scalar(entry.value);
  if (value === 0 || value === 1 || value === 2 || value === 3) return value;
  const message = 'The priority must be 0, 1, 2 or 3';
  reader.diagnostics.error('PRIORITY', reader.span(entry.value, entry.keySpan), message);
  return undefined;
}

function readStream(
  reader: YamlReader,
  entry: YamlEntry,
  edition: number,
): StreamDocument | undefined {
  const fields = reader.fields(entry.value, `The stream ${entry.key}`, STREAM_KEYS, entry.keySpan);
  if (fields === undefined) return undefined;
  for (const key of ['queries', 'with']) {
    const field = fields.get(key);
    if (field === undefined || edition >= 3) continue;
    const message = `${key} needs edition 3`;
    reader.diagnostics.error('EDITION', field.keySpan, message, 'Set config: { edition: 3 }');
  }
  return {
    name: entry.key,
    nameSpan: entry.keySpan,
    queries: readQueries(reader, fields, entry),
    ctes: readCtes(reader, fields.get('with')),
    autoSubscribe: reader.boolean(fields.get('auto_subscribe'), false),
    priority: readPriority(reader, fields.get('priority')) ?? 3,
    acceptsDangerousQueries: reader.boolean(
      fields.get('accept_potentially_dangerous_queries'),
      false,
    ),
  };
}

function readQueries(
  reader: YamlReader,
  fields: Fields,
  entry: YamlEntry,
): StreamDocument['queries'] {
  const query = fields.get('query');
  const queries = fields.get('queries');
  if ((query === undefined) === (queries === undefined)) {
    const message = `The stream ${entry.key} must have either query or queries`;
    reader.diagnostics.error('YAML_SCHEMA', entry.keySpan, message);
  }
  const list: StreamDocument['queries'][number][] = [];
  if (query !== undefined) {
    const sql = reader.sql(query.value, 'query', query.keySpan);
    if (sql !== undefined) list.push(sql);
  }
  if (queries !== undefined) {
    const items = reader.sequence(queries.value);
    if (items === undefined) {
      const message = 'queries must be a list of queries';
      reader.diagnostics.error('YAML_SCHEMA', reader.span(queries.value, queries.keySpan), message);
    }
    list.push(...reader.sqlList(items ?? [], 'A query', queries.keySpan));
  }
  return list;
}

function readEvent(reader: YamlReader, entry: YamlEntry): EventDocument | undefined {
  const what = `The event ${entry.key}`;
  const fields = reader.fields(entry.value, what, EVENT_KEYS, entry.keySpan);
  if (fields === undefined) return undefined;
  const payloads = fields.get('payloads');
  const items = payloads && reader.sequence(payloads.value);
  if (items === undefined) {
    const span =
      payloads === undefined ? entry.keySpan : reader.span(payloads.value, payloads.keySpan);
    const message =
      payloads === undefined ? `${what} has no payloads` : 'payloads must be a list of queries';
    reader.diagnostics.error('YAML_SCHEMA', span, message, 'Write payloads: and a list of SELECTs');
  }
  const at = payloads?.keySpan ?? entry.keySpan;
  return { name: entry.key, payloads: reader.sqlList(items ?? [], 'A payload', at) };
}

function readCtes(reader: YamlReader, entry: YamlEntry | undefined): CteDocument[] {
  return readEach(reader, entry, ({ key, keySpan, value }) => {
    const query = reader.sql(value, `The CTE ${key}`, keySpan);
    return query && { name: key, nameSpan: keySpan, query };
  });
}

function checkNames(reader: YamlReader, document: ConfigDocument): void {
  const taken = new Set(document.bucketDefinitions.map(({ name }) => name));
  for (const { name, nameSpan } of document.streams) {
    if (!taken.has(name)) continue;
    const message = `${name} is also the name of a bucket definition`;
    reader.diagnostics.error('DUPLICATE_NAME', nameSpan, message);
  }
}
