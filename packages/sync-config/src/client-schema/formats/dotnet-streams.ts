import type { ClientSchema, StreamParameter } from '../client-schema.ts';
import { DOTNET_ARGUMENTS, dotnetNames } from './dotnet-names.ts';
import { streamFunctions } from './stream-functions.ts';
import { csharpLiteral } from './string-literal.ts';

const STREAM_NAMES = dotnetNames('Stream', 'TypedSyncStreams');

/** The usings of the class below, for files that have streams. */
export function streamUsings({ streams }: ClientSchema): readonly string[] {
  if (streams.length === 0) return [];
  return [
    'using System.Collections.Generic;',
    'using PowerSync.Common.Client;',
    'using PowerSync.Common.Client.Sync.Stream;',
  ];
}

export function streamClass(schema: ClientSchema): readonly string[] {
  const functions = streamFunctions(schema, STREAM_NAMES, DOTNET_ARGUMENTS);
  if (functions.length === 0) return [];
  return [
    '/// <summary>The streams to subscribe to: new TypedSyncStreams(db).Name(…).Subscribe().</summary>',
    'public class TypedSyncStreams',
    '{',
    '    private readonly IPowerSyncDatabase _db;',
    '',
    '    public TypedSyncStreams(IPowerSyncDatabase db)',
    '    {',
    '        _db = db;',
    '    }',
    ...functions.flatMap(({ identifier, name, parameters }) => {
      const args = parameters.map((p) => `${dotnetType(p)} ${p.identifier}`).join(', ');
      const entries = parameters.map((p) => ` [${csharpLiteral(p.name)}] = ${p.identifier}`);
      const map = `new Dictionary<string, object> {${entries.join(',')} }`;
      return [
        '',
        `    public ISyncStream ${identifier}(${args})`,
        '    {',
        `        return _db.SyncStream(${csharpLiteral(name)}${entries.length > 0 ? `, ${map}` : ''});`,
        '    }',
      ];
    }),
    '}',
  ];
}

function dotnetType({ type, isList }: StreamParameter): string {
  const one = { text: 'string', integer: 'long', real: 'double', any: 'object' }[type];
  return isList ? `${one}[]` : one;
}
