/**
 * A parsed JSON text in which every number and string keeps its spelling, because SQLite gives
 * spellings back as they were written.
 */
export type JsonNode = JsonLiteral | JsonNumber | JsonText | JsonArray | JsonObject;

interface JsonLiteral {
  readonly kind: 'null' | 'true' | 'false';
}

/**
 * `integer` and `real` are spelled as in RFC 8259. `hex` is `0x1F`, and `real5` lacks digits beside
 * the point, as in `.5` and `5.`: both are JSON5 and rendered otherwise than they are written.
 */
export interface JsonNumber {
  readonly kind: 'integer' | 'hex' | 'real' | 'real5';
  /** May begin with `-`, never with `+`. */
  readonly raw: string;
}

export interface JsonText {
  readonly kind: 'text';
  /** What stands between the quotes. */
  readonly raw: string;
  /** `json5`: has escapes, control characters or quotes that RFC 8259 does not allow. */
  readonly escapes: 'none' | 'json' | 'json5';
}

export interface JsonArray {
  readonly kind: 'array';
  readonly items: readonly JsonNode[];
}

export interface JsonObject {
  readonly kind: 'object';
  readonly labels: readonly JsonText[];
  /** As many as labels; labels may repeat. */
  readonly values: readonly JsonNode[];
}

export function isJsonContainer(node: JsonNode): node is JsonArray | JsonObject {
  return node.kind === 'array' || node.kind === 'object';
}
