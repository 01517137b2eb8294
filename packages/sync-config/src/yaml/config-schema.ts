import type { JsonObject } from '@sluice/base';
import {
  CONFIG_KEYS,
  EDITIONS,
  STREAM_KEYS,
  TOP_KEYS,
  type KeyRule,
  type KeyTable,
  type KeyValue,
} from './config-keys.ts';

/**
 * The JSON Schema (draft-07, which YAML language servers understand) of a sync config, made from
 * the keys that the reader knows. Says what a schema can say: keys, kinds of values, and which keys
 * an edition has. SQL is a text to it.
 */
export function syncConfigJsonSchema(): JsonObject {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Sluice sync config',
    description: 'Which rows go to whom. See docs/sync-config.md.',
    ...objectSchema(TOP_KEYS),
    anyOf: [{ required: ['streams'] }, { required: ['bucket_definitions'] }],
    allOf: [...EDITIONS.map(editionRule), ...optionRules()],
  };
}

function objectSchema(table: KeyTable): JsonObject {
  const rules = Object.entries(table);
  const required = rules.filter(([, rule]) => rule.required === true).map(([key]) => key);
  return {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(rules.map(([key, rule]) => [key, keySchema(key, rule)])),
    ...(required.length > 0 ? { required } : {}),
    ...(table === STREAM_KEYS
      ? { oneOf: [{ required: ['query'] }, { required: ['queries'] }] }
      : {}),
  };
}

function keySchema(key: string, rule: KeyRule): JsonObject {
  const { fromEdition, upToEdition, onFromEdition } = rule;
  const notes = [
    fromEdition === undefined ? '' : `Needs edition ${Math.max(3, fromEdition)}.`,
    upToEdition === undefined ? '' : `Up to edition ${upToEdition}.`,
    onFromEdition === undefined ? '' : `On by default from edition ${onFromEdition}.`,
  ];
  const description = [rule.description, ...notes].filter((note) => note !== '').join(' ');
  return {
    description,
    ...valueSchema(rule.value, key),
    ...(rule.default === undefined ? {} : { default: rule.default }),
  };
}

function valueSchema(value: KeyValue, key: string): JsonObject {
  const sql = { type: 'string' };
  switch (value.kind) {
    case 'flag':
      return { type: 'boolean' };
    case 'priority':
      return { type: 'integer', enum: [0, 1, 2, 3] };
    case 'choice':
      return { enum: [...value.options] };
    case 'sql':
      return sql;
    case 'sql list':
      return { type: 'array', items: sql };
    case 'sql or list':
      return { anyOf: [sql, { type: 'array', items: sql, minItems: 1 }] };
    case 'keys':
      return objectSchema(value.keys);
    case 'named':
      return { type: 'object', additionalProperties: valueSchema(value.of, key) };
  }
}

/** What a file of one edition may not contain. */
function editionRule(edition: number): JsonObject {
  const withoutStreams = excluded(TOP_KEYS, edition);
  const inStreams = excluded(STREAM_KEYS, edition);
  const streams =
    TOP_KEYS.streams.fromEdition > edition
      ? false
      : { additionalProperties: { properties: inStreams } };
  return implies(hasEdition(edition), { properties: { ...withoutStreams, streams } });
}

function excluded(table: KeyTable, edition: number): JsonObject {
  const keys = Object.entries(table).filter(
    ([, { fromEdition = 0, upToEdition = Infinity }]) =>
      edition < fromEdition || edition > upToEdition,
  );
  return Object.fromEntries(keys.map(([key]) => [key, false]));
}

/** A file without `config: edition` has the default one. */
function hasEdition(edition: number): JsonObject {
  const isSet = { required: ['config'], properties: { config: withOption('edition', edition) } };
  if (edition !== CONFIG_KEYS.edition.default) return isSet;
  const isAbsent = { properties: { config: { not: { required: ['edition'] } } } };
  return { anyOf: [isSet, isAbsent] };
}

function withOption(key: string, value: boolean | number): JsonObject {
  return { required: [key], properties: { [key]: { const: value } } };
}

/** Options that need others (spec/sync-config.md 2). */
function optionRules(): JsonObject[] {
  const inConfig = (config: JsonObject): JsonObject => ({
    required: ['config'],
    properties: { config },
  });
  const uses = (key: string) => inConfig({ required: [key] });
  const isOn = { timestamps_iso8601: { const: true } };
  return [
    implies(
      { allOf: [uses('timestamp_max_precision'), hasEdition(1)] },
      inConfig({ required: ['timestamps_iso8601'], properties: isOn }),
    ),
    implies(uses('timestamp_max_precision'), inConfig({ properties: isOn })),
    implies(inConfig(withOption('unstable_sqlite_expression_engine', true)), {
      allOf: [
        { not: { anyOf: [hasEdition(1), hasEdition(2)] } },
        inConfig({ properties: { fixed_json_extract: { const: true } } }),
      ],
    }),
  ];
}

function implies(condition: JsonObject, consequence: JsonObject): JsonObject {
  // eslint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  return { if: condition, then: consequence };
}
