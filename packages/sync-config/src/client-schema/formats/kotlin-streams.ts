import type { ClientSchema, StreamParameter } from '../client-schema.ts';
import { kotlinNames } from './kotlin-names.ts';
import { streamFunctions, type FunctionParameter } from './stream-functions.ts';
import { kotlinLiteral } from './string-literal.ts';

const STREAM_NAMES = kotlinNames('camel', 'stream', 'equals hashCode toString');
const PARAMETER_NAMES = kotlinNames('camel', 'parameter');

/** The imports of the class below, for files that have streams. */
export function streamImports({ streams }: ClientSchema): readonly string[] {
  if (streams.length === 0) return [];
  const hasParameters = streams.some(({ parameters }) => parameters.length > 0);
  return [
    'import com.powersync.PowerSyncDatabase',
    'import com.powersync.sync.SyncStream',
    ...(hasParameters ? ['import com.powersync.utils.JsonParam'] : []),
  ];
}

export function streamClass(schema: ClientSchema): readonly string[] {
  const functions = streamFunctions(schema, STREAM_NAMES, PARAMETER_NAMES);
  if (functions.length === 0) return [];
  return [
    '/** The streams to subscribe to: `TypedSyncStreams(db).name(…).subscribe()`. */',
    'class TypedSyncStreams(private val db: PowerSyncDatabase) {',
    ...functions.flatMap(({ identifier, name, parameters }, i) => {
      const args = parameters.map((p) => `${p.identifier}: ${kotlinType(p)}`).join(', ');
      const pairs = parameters.map((p) => `${kotlinLiteral(p.name)} to ${jsonValue(p)}`);
      const map = pairs.length === 0 ? 'emptyMap()' : `mapOf(${pairs.join(', ')})`;
      return [
        ...(i > 0 ? [''] : []),
        `    fun ${identifier}(${args}): SyncStream =`,
        `        db.syncStream(${kotlinLiteral(name)}, ${map})`,
      ];
    }),
    '}',
  ];
}

function kotlinType({ type, isList }: StreamParameter): string {
  const one = { text: 'String', integer: 'Long', real: 'Double', any: 'JsonParam' }[type];
  return isList ? `List<${one}>` : one;
}

function jsonValue({ identifier, type, isList }: FunctionParameter): string {
  if (type === 'any') return identifier;
  const wrapper = type === 'text' ? 'JsonParam.String' : 'JsonParam.Number';
  return isList
    ? `JsonParam.Collection(${identifier}.map { ${wrapper}(it) })`
    : `${wrapper}(${identifier})`;
}
