import { formatDiagnostic, type Diagnostic, type DiagnosticPart } from '@sluice/sync-config';
import type { Screen } from '../terminal/screen.ts';

/** Prints every diagnostic with its place and the source, in colour by severity. */
export function printDiagnostics(
  screen: Screen,
  text: string,
  diagnostics: readonly Diagnostic[],
  fileName: string,
): void {
  for (const diagnostic of diagnostics) {
    const paint = painter(screen, diagnostic.severity);
    // Two columns of indentation are added here.
    const columns = Math.max(40, screen.columns - 2);
    const formatted = formatDiagnostic(text, diagnostic, fileName, { columns, paint });
    for (const line of formatted.split('\n')) screen.print(`  ${line}`);
    screen.print();
  }
}

function painter(
  { colors }: Screen,
  severity: Diagnostic['severity'],
): (part: DiagnosticPart, text: string) => string {
  const bySeverity = { error: colors.red, warning: colors.yellow, info: colors.cyan }[severity];
  return (part, text) => {
    if (part === 'severity' || part === 'underline') return bySeverity(text);
    if (part === 'message') return colors.bold(text);
    return part === 'fix' ? colors.green(text) : text;
  };
}
