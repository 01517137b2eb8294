import type { FunctionDefinition } from '../define.ts';
import type { EndpointEntry, FunctionEntry, FunctionManifest, TableEntry } from '../messages.ts';

export interface LoadedDefinitions {
  readonly definitions: readonly FunctionDefinition[];
  readonly manifest: FunctionManifest;
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const TABLE_FUNCTIONS = ['beforeWrite', 'afterWrite', 'resolveConflict'] as const;

/**
 * Finds the definitions among the exports of the files and names them: a default export after its
 * file, another one after itself.
 *
 * @throws Error that says what is wrong in which file.
 */
export function collectDefinitions(
  modules: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): LoadedDefinitions {
  const definitions: FunctionDefinition[] = [];
  const tables: TableEntry[] = [];
  const endpoints: EndpointEntry[] = [];
  const signIns: FunctionEntry[] = [];
  for (const [file, exports] of Object.entries(modules)) {
    for (const [exported, definition] of Object.entries(exports)) {
      if (!isDefinition(definition)) continue;
      const name = exported === 'default' ? file.replace(/\.[^.]+$/, '') : exported;
      const entry = { name, file, index: definitions.length };
      definitions.push(definition);
      if (definition.kind === 'table') tables.push(tableEntry(entry, definition.functions));
      else if (definition.kind === 'endpoint')
        endpoints.push(endpointEntry(entry, definition.functions));
      else signIns.push(signInEntry(entry, definition.functions));
    }
  }
  refuseDuplicates(tables, ({ table }) => `functions for the table ${table}`);
  refuseDuplicates(
    endpoints,
    ({ method, path }) =>
      `the route ${method} /functions/${path.map((part) => (part.startsWith(':') ? ':' : part)).join('/')}`,
  );
  refuseDuplicates(signIns, ({ name }) => `a sign-in named ${name}`);
  return { definitions, manifest: { tables, endpoints, signIns } };
}

function isDefinition(value: unknown): value is FunctionDefinition {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false;
  if (!('functions' in value) || typeof value.functions !== 'object') return false;
  return value.kind === 'table' || value.kind === 'endpoint' || value.kind === 'sign_in';
}

type FunctionsOf<K> = Extract<FunctionDefinition, { kind: K }>['functions'];

function tableEntry(entry: FunctionEntry, functions: FunctionsOf<'table'>): TableEntry {
  for (const name of Object.keys(functions)) {
    if (name === 'table' || TABLE_FUNCTIONS.some((known) => known === name)) continue;
    throw new Error(`${entry.file}: defineTable does not know ${name}`);
  }
  return {
    ...entry,
    table: functions.table ?? entry.name,
    beforeWrite: has(entry, functions, 'beforeWrite'),
    afterWrite: has(entry, functions, 'afterWrite'),
    resolveConflict: has(entry, functions, 'resolveConflict'),
  };
}

function endpointEntry(entry: FunctionEntry, functions: FunctionsOf<'endpoint'>): EndpointEntry {
  const method = functions.method ?? 'POST';
  if (!METHODS.includes(method)) {
    throw new Error(`${entry.file}: method is ${String(method)}, not one of ${METHODS.join(', ')}`);
  }
  const path = (functions.path ?? entry.name).split('/').filter((part) => part !== '');
  if (path.length === 0 || path.length > 4) {
    throw new Error(`${entry.file}: path has not 1 to 4 segments`);
  }
  if (!has(entry, functions, 'handler')) {
    throw new Error(`${entry.file}: the endpoint ${entry.name} has no handler`);
  }
  return { ...entry, method, path, isPublic: functions.public === true };
}

function signInEntry(entry: FunctionEntry, functions: FunctionsOf<'sign_in'>): FunctionEntry {
  if (has(entry, functions, 'handler')) return entry;
  throw new Error(`${entry.file}: the sign-in ${entry.name} has no handler`);
}

function has({ file }: FunctionEntry, functions: object, name: string): boolean {
  const value: unknown = Reflect.get(functions, name);
  if (value === undefined) return false;
  if (typeof value === 'function') return true;
  throw new Error(`${file}: ${name} is not a function`);
}

function refuseDuplicates<T extends FunctionEntry>(
  entries: readonly T[],
  describe: (entry: T) => string,
): void {
  const files = new Map<string, string>();
  for (const entry of entries) {
    const what = describe(entry);
    const other = files.get(what);
    if (other !== undefined) throw new Error(`Both ${other} and ${entry.file} define ${what}`);
    files.set(what, entry.file);
  }
}
