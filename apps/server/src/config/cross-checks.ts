import { isIP } from 'node:net';
import { jsonWebKeyProblem, parseCidrRange } from '@sluice/auth';
import type { ConfigProblem } from './config-problem.ts';
import { parsePostgresUri } from './postgres-uri.ts';
import { UNRESOLVED, valueAt, type KeyPath, type YamlDocument } from './yaml-document.ts';

type Section = Readonly<Record<string, unknown>>;

/**
 * What concerns several keys, or more of a value than its type. Works on the file as written, so
 * that these problems are reported together with those of the schema.
 */
export function crossChecks(document: YamlDocument): readonly ConfigProblem[] {
  const root = section(document.value);
  const found: ConfigProblem[] = [];
  const report: Report = (path, message, hint) => {
    if (valueAt(document.value, path) === UNRESOLVED) return;
    found.push(document.problemAt('CONFIG_INVALID_VALUE', path, message, hint));
  };

  checkConnections(root, report);
  checkWriteApi(root, report);
  checkSyncConfig(root, report);
  checkClientAuth(section(root['client_auth']), report);
  return found;
}

type Report = (path: KeyPath, message: string, hint?: string) => void;

function checkConnections(root: Section, report: Report): void {
  const connections = list(section(root['replication'])['connections']);
  for (const [index, value] of connections.entries()) {
    checkConnection(section(value), ['replication', 'connections', index], report);
  }
}

function checkWriteApi(root: Section, report: Report): void {
  const writeApi = root['write_api'];
  if (writeApi === undefined) return;
  const { database, schema } = section(writeApi);
  if (database !== undefined) {
    checkConnection(section(database), ['write_api', 'database'], report);
  } else if (list(section(root['replication'])['connections']).length === 0) {
    report(
      ['write_api', 'database'],
      'is required',
      'there is no source whose connection it could use',
    );
  }
  if (typeof schema === 'string' && /^(pg_.*|information_schema|sluice)$/.test(schema)) {
    report(['write_api', 'schema'], 'must not be written by uploads');
  }
}

function checkConnection(connection: Section, path: KeyPath, report: Report): void {
  if (connection['type'] !== 'postgresql') return;
  const uri = connection['uri'];
  const parsed = typeof uri === 'string' ? parsePostgresUri(uri) : undefined;
  if (parsed?.kind === 'problem') report([...path, 'uri'], parsed.message);
  const fromUri: Section = parsed?.kind === 'parts' ? { ...parsed.parts } : {};
  // A wrong or unresolved URI would make every part look as if it were missing.
  if (uri === undefined || parsed?.kind === 'parts') {
    for (const name of ['hostname', 'database', 'username', 'password']) {
      if (connection[name] === undefined && fromUri[name] === undefined) {
        report([...path, name], 'is required', 'give it here or in uri');
      }
    }
  }
  const sslMode = connection['sslmode'] ?? fromUri['sslmode'];
  if (sslMode === 'verify-ca' && connection['cacert'] === undefined) {
    report([...path, 'cacert'], 'is required with sslmode verify-ca');
  }
  checkRanges(connection['reject_ip_ranges'], [...path, 'reject_ip_ranges'], report);
}

function checkSyncConfig(root: Section, report: Report): void {
  if (root['sync_config'] !== undefined && root['sync_rules'] !== undefined) {
    report(['sync_rules'], 'cannot stand beside sync_config', 'sync_rules is its older name');
  }
  for (const name of ['sync_config', 'sync_rules']) {
    const { path, content } = section(root[name]);
    if (path !== undefined && content !== undefined) {
      report([name, 'content'], 'cannot stand beside path', 'give one of the two');
    }
  }
}

function checkClientAuth(auth: Section, report: Report): void {
  for (const [index, key] of list(section(auth['jwks'])['keys']).entries()) {
    const problem = jsonWebKeyProblem(section(key));
    const path = ['client_auth', 'jwks', 'keys', index];
    if (problem) report([...path, problem.member], problem.message);
  }
  const uris = auth['jwks_uri'];
  const single = typeof uris === 'string';
  for (const [index, uri] of (single ? [uris] : list(uris)).entries()) {
    const path = ['client_auth', 'jwks_uri', ...(single ? [] : [index])];
    if (typeof uri === 'string') checkJwksUri(uri, path, report);
  }
  checkRanges(auth['jwks_reject_ip_ranges'], ['client_auth', 'jwks_reject_ip_ranges'], report);
}

function checkJwksUri(uri: string, path: KeyPath, report: Report): void {
  if (!URL.canParse(uri)) report(path, 'is not a URI');
  else if (!['http:', 'https:'].includes(new URL(uri).protocol)) {
    report(path, 'must begin with http:// or https://');
  }
}

function checkRanges(value: unknown, path: KeyPath, report: Report): void {
  for (const [index, range] of list(value).entries()) {
    if (typeof range !== 'string' || range === 'local' || isIP(range)) continue;
    if (!parseCidrRange(range)) {
      report([...path, index], 'is not a CIDR range', 'e.g. 10.0.0.0/8, or local');
    }
  }
}

function section(value: unknown): Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Section)
    : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
