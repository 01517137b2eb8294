import { isMap, isScalar, isSeq, parseDocument, visit, type Document, type Scalar } from 'yaml';
import type { ScalarPlace } from '@sluice/sync-config';
import type { FindPlace } from './policy-problem.ts';

/**
 * Where the values below `base` stand in a YAML text, e.g. `['write_api']`. A text that does not parse
 * has no places; who reads the configuration reports it.
 */
export function yamlPlaces(yaml: string, base: readonly (string | number)[]): FindPlace {
  const document = parseDocument(yaml, { logLevel: 'silent', merge: true });
  if (document.errors.length > 0) return () => undefined;
  const flows = flowSpans(document);
  return (path) => {
    const value = document.getIn([...base, ...path], true);
    const isWritten = isScalar(value) && value.range && value.range[1] > value.range[0];
    const node = isWritten ? value : keyNode(document, [...base, ...path]);
    if (!isScalar(node) || !node.range) return undefined;
    const [start, end] = node.range;
    const inFlow = flows.some((flow) => flow.start <= start && start < flow.end);
    return { yaml, span: { start, end }, style: styleOf(node), inFlow };
  };
}

/** For what is about the whole of a map or list, or empty: the key in front of it. */
function keyNode(document: Document, path: readonly (string | number)[]): unknown {
  const parent = document.getIn(path.slice(0, -1), true);
  if (!isMap(parent)) return undefined;
  return parent.items.find(({ key }) => isScalar(key) && key.value === path.at(-1))?.key;
}

function flowSpans(
  document: Document,
): readonly { readonly start: number; readonly end: number }[] {
  const spans: { start: number; end: number }[] = [];
  visit(document, {
    Collection(_, node) {
      if ((isMap(node) || isSeq(node)) && node.flow === true && node.range) {
        spans.push({ start: node.range[0], end: node.range[1] });
      }
    },
  });
  return spans;
}

function styleOf({ type }: Scalar): ScalarPlace['style'] {
  if (type === 'BLOCK_FOLDED' || type === 'BLOCK_LITERAL') return 'block';
  if (type === 'QUOTE_DOUBLE') return 'double';
  return type === 'QUOTE_SINGLE' ? 'single' : 'plain';
}
