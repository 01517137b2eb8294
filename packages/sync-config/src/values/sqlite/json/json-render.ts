import type { SqliteValue } from '@sluice/model';
import type { JsonNode } from './json-node.ts';
import { jsonNumberValue, renderJsonNumber } from './json-number.ts';
import { jsonTextValue, renderJsonText } from './json-text.ts';

/** JSON text without white space, as RFC 8259 has it: what `json()` and `->` give. */
export function renderJson(node: JsonNode): string {
  switch (node.kind) {
    case 'null':
    case 'true':
    case 'false':
      return node.kind;
    case 'text':
      return renderJsonText(node);
    case 'array':
      return `[${node.items.map(renderJson).join(',')}]`;
    case 'object': {
      const { labels, values } = node;
      let text = '';
      for (const [i, value] of values.entries()) {
        const label = labels[i];
        if (label === undefined) break;
        text += `${i === 0 ? '' : ','}${renderJsonText(label)}:${renderJson(value)}`;
      }
      return `{${text}}`;
    }
    case 'integer':
    case 'hex':
    case 'real':
    case 'real5':
      return renderJsonNumber(node);
  }
}

/** The value that `->>` and json_extract give for a node; JSON text for arrays and objects. */
export function jsonNodeValue(node: JsonNode): SqliteValue {
  switch (node.kind) {
    case 'null':
      return null;
    case 'true':
      return 1n;
    case 'false':
      return 0n;
    case 'text':
      return jsonTextValue(node);
    case 'array':
    case 'object':
      return renderJson(node);
    case 'integer':
    case 'hex':
    case 'real':
    case 'real5':
      return jsonNumberValue(node);
  }
}
