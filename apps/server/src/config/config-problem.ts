import { ConfigError, type ErrorCode } from '@sluice/base';

/** One thing that is wrong with a configuration file, with its place. */
export interface ConfigProblem {
  readonly code: ErrorCode;
  /** E.g. `replication.connections[0].port`; empty for the whole file. */
  readonly keyPath: string;
  /** From 1; 0 when there is no file. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** E.g. `did you mean "port"?` */
  readonly hint?: string | undefined;
}

export interface ConfigText {
  /** For messages: the path, or where else the text came from. */
  readonly name: string;
  readonly text: string;
}

/**
 * All problems of a configuration file at once. `code` is that of the first problem; the message
 * lists every one, each with its source line.
 */
export class ConfigFileError extends ConfigError {
  readonly problems: readonly ConfigProblem[];

  constructor(file: ConfigText, problems: readonly ConfigProblem[]) {
    super(problems[0]?.code ?? 'CONFIG_INVALID_VALUE', formatProblems(file, problems), {
      details: { file: file.name, problems },
      remedy: problems.length > 1 ? 'Correct the lines listed' : undefined,
    });
    this.problems = problems;
  }
}

/** Readable text: a heading, then each problem with place, code, message and its source line. */
export function formatProblems(file: ConfigText, problems: readonly ConfigProblem[]): string {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const lines = file.text.split('\n');
  const blocks = problems.map((problem) => formatProblem(file.name, lines, problem));
  return [`${file.name} has ${count}`, ...blocks].join('\n\n');
}

function formatProblem(name: string, lines: readonly string[], problem: ConfigProblem): string {
  const where = problem.keyPath === '' ? '' : `${problem.keyPath}: `;
  const hint = problem.hint === undefined ? '' : ` (${problem.hint})`;
  const head = `${name}:${problem.line}:${problem.column} ${problem.code} ${where}${problem.message}${hint}`;
  const source = lines[problem.line - 1];
  if (source === undefined) return head;
  const gutter = String(problem.line);
  const pad = ' '.repeat(gutter.length);
  return [
    head,
    `  ${gutter} | ${hideSecret(source)}`,
    `  ${pad} | ${' '.repeat(Math.max(0, problem.column - 1))}^`,
  ].join('\n');
}

const SECRET_KEY =
  /^((?:.*[\s{,])?["']?(?:password|k|supabase_jwt_secret|client_private_key|secret_access_key|uri)["']?\s*:\s*)(?!\s*!env)\S.*$/;

/** Source lines are printed and logged, so values that may be secret are not shown. */
function hideSecret(line: string): string {
  return line.replace(SECRET_KEY, '$1…');
}
