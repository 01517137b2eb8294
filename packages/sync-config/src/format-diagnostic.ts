import type { Diagnostic } from './contract.ts';

/**
 * A problem for people: place, message, the source line with the part underlined, and the fix.
 *
 *     sync.yaml:4:32: error UNKNOWN_FUNCTION: There is no function uper
 *       - SELECT uper(name) FROM t
 *                ^^^^
 *     fix: Did you mean upper?
 */
export function formatDiagnostic(yaml: string, diagnostic: Diagnostic, fileName: string): string {
  const start = Math.min(diagnostic.start, yaml.length);
  const lineStart = yaml.lastIndexOf('\n', start - 1) + 1;
  const nextBreak = yaml.indexOf('\n', start);
  const lineEnd = nextBreak === -1 ? yaml.length : nextBreak;
  const lineNumber = yaml.slice(0, lineStart).split('\n').length;
  const sourceLine = yaml.slice(lineStart, lineEnd).replace(/\r$/, '');
  const length = Math.max(1, Math.min(diagnostic.end, lineStart + sourceLine.length) - start);
  // Tabs are kept, so that the underline stands below the text whatever their width.
  const indent = yaml.slice(lineStart, start).replaceAll(/[^\t]/g, ' ');
  const place = `${fileName}:${lineNumber}:${start - lineStart + 1}`;
  const lines = [
    `${place}: ${diagnostic.severity} ${diagnostic.code}: ${diagnostic.message}`,
    `  ${sourceLine}`,
    `  ${indent}${'^'.repeat(length)}`,
  ];
  if (diagnostic.fix !== undefined) lines.push(`fix: ${diagnostic.fix}`);
  return lines.join('\n');
}
