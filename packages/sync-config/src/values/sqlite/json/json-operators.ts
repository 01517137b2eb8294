import type { SqliteValue } from '@sluice/model';
import type { Operator } from '../../dialect.ts';
import { operandAt } from '../../shapes.ts';
import type { JsonNode } from './json-node.ts';
import { JsonPathReader } from './json-path-reader.ts';
import { findJsonNode } from './json-path.ts';
import { SqliteJsonReader } from './json-reader.ts';
import { jsonNodeValue, renderJson } from './json-render.ts';
import { alwaysJson } from './json-subtype.ts';

/** `->` gives JSON text and `->>` the value; reading a parameter is `->>` (spec/sync-config.md 7). */
export function createSqliteJsonOperators(reader = new SqliteJsonReader()): Map<string, Operator> {
  return new Map<string, Operator>([
    ['->', alwaysJson(member(reader, renderJson))],
    ['->>', member(reader, jsonNodeValue)],
    ['parameter', member(reader, jsonNodeValue)],
  ]);
}

function member(reader: SqliteJsonReader, result: (node: JsonNode) => SqliteValue): Operator {
  return {
    minArgs: 2,
    maxArgs: 2,
    build(args) {
      const json = operandAt(args, 0).evaluate;
      const step = operandAt(args, 1).evaluate;
      const paths = new JsonPathReader();
      return (slots) => {
        const text = json(slots);
        const stepValue = step(slots);
        if (text === null) return null;
        const { root } = reader.read(text);
        if (stepValue === null) return null;
        const node = findJsonNode(root, paths.readStep(stepValue));
        return node === undefined ? null : result(node);
      };
    },
  };
}
