import { positionAt, type Diagnostic, type TextPosition } from '@sluice/sync-config';
import type { CheckedFile } from './check-file.ts';

/** What `sluice validate --json` prints; the shape is stable, see docs/sync-config.md. */
export interface ValidationReport {
  readonly version: 1;
  /** Whether the command ends with exit code 0. */
  readonly ok: boolean;
  /** Whether names were checked against a live database. */
  readonly schemaChecked: boolean;
  readonly errors: number;
  readonly warnings: number;
  /** Places that edition 4 would treat otherwise; they are listed with --exact. */
  readonly exactDifferences: number;
  readonly files: readonly {
    readonly file: string;
    readonly diagnostics: readonly ReportedDiagnostic[];
  }[];
}

interface ReportedDiagnostic {
  readonly code: string;
  readonly severity: Diagnostic['severity'];
  readonly message: string;
  readonly fix: string | null;
  readonly edit: { readonly range: ReportedRange; readonly text: string } | null;
  readonly range: ReportedRange;
}

/** Lines and columns from 1, offsets from 0, all in UTF-16 units; `end` is exclusive. */
interface ReportedRange {
  readonly start: TextPosition & { readonly offset: number };
  readonly end: TextPosition & { readonly offset: number };
}

export function validationReport(
  files: readonly CheckedFile[],
  options: { readonly ok: boolean; readonly schemaChecked: boolean; readonly exact: boolean },
): ValidationReport {
  const sum = (count: (file: CheckedFile) => number) =>
    files.reduce((total, file) => total + count(file), 0);
  return {
    version: 1,
    ok: options.ok,
    schemaChecked: options.schemaChecked,
    errors: sum(({ errorCount }) => errorCount),
    warnings: sum(({ warningCount }) => warningCount),
    exactDifferences: sum(({ exactAdvice }) => exactAdvice.length),
    files: files.map(({ file, text, diagnostics, exactAdvice }) => ({
      file,
      diagnostics: [...diagnostics, ...(options.exact ? exactAdvice : [])].map((diagnostic) =>
        reported(text, diagnostic),
      ),
    })),
  };
}

function reported(text: string, diagnostic: Diagnostic): ReportedDiagnostic {
  const { code, severity, message, fix, edit } = diagnostic;
  return {
    code,
    severity,
    message,
    fix: fix ?? null,
    edit: edit === undefined ? null : { range: rangeOf(text, edit), text: edit.text },
    range: rangeOf(text, diagnostic),
  };
}

function rangeOf(text: string, span: { start: number; end: number }): ReportedRange {
  const at = (offset: number) => ({ ...positionAt(text, offset), offset });
  return { start: at(span.start), end: at(span.end) };
}
