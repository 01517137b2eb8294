import { formatDiagnostic, type Diagnostic, type ScalarPlace } from '@sluice/sync-config';

/** Something wrong with the rules of a table. */
export interface PolicyProblem extends Diagnostic {
  /** The key, e.g. `['tables', 'lists', 'update']`, below the section of the write API. */
  readonly path: readonly (string | number)[];
  /** What `start` and `end` are offsets into: the YAML text, or where that is unknown the value. */
  readonly text: string;
}

/** Where a value of the section stands in the YAML text; undefined: that is not known. */
export type FindPlace = (path: readonly (string | number)[]) => ScalarPlace | undefined;

/**
 * A problem for people, with its place:
 *
 *     sluice.yaml:12:15: error COLUMN_NOT_FOUND: There is no column ownr in lists
 *             update: ownr = auth.user_id()
 *                     ^^^^
 *     fix: Did you mean owner?
 */
export function formatProblem(problem: PolicyProblem, fileName: string): string {
  const isPlaced = problem.text.length > 0;
  const text = isPlaced ? problem.text : problem.path.join('.');
  return formatDiagnostic(text, problem, fileName);
}

/** Collects problems about values of the section that are no expressions. */
export class ProblemList {
  readonly list: PolicyProblem[] = [];
  readonly #findPlace: FindPlace;

  constructor(findPlace: FindPlace) {
    this.#findPlace = findPlace;
  }

  get hasErrors(): boolean {
    return this.list.some(({ severity }) => severity === 'error');
  }

  /** `value`: what the path leads to, for when its place is not known. */
  error(
    path: PolicyProblem['path'],
    value: string,
    code: string,
    message: string,
    fix: string,
  ): void {
    const place = this.#findPlace(path);
    const text = place?.yaml ?? value;
    const { start, end } = place?.span ?? { start: 0, end: value.length };
    this.list.push({ severity: 'error', code, message, fix, path, text, start, end });
  }

  /** Problems of an expression at `path`. */
  add(path: PolicyProblem['path'], value: string, diagnostics: readonly Diagnostic[]): void {
    const text = this.#findPlace(path)?.yaml ?? value;
    for (const diagnostic of diagnostics) this.list.push({ ...diagnostic, path, text });
  }

  placeOf(path: PolicyProblem['path']): ScalarPlace | undefined {
    return this.#findPlace(path);
  }
}
