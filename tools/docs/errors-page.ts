import { ERROR_TABLE, type ErrorEntry } from '@sluice/base';

/** docs/errors.md, made from the error table. */
export function errorsPage(): string {
  const areas = new Map<string, [string, ErrorEntry][]>();
  for (const [code, entry] of Object.entries(ERROR_TABLE)) {
    const area = code.slice(0, code.indexOf('_'));
    areas.set(area, [...(areas.get(area) ?? []), [code, entry]]);
  }
  const lines = [
    '# Errors',
    '',
    'Made from `packages/base/src/error-table.ts` by `npm run docs`. Codes are stable: never reused,',
    'never renamed. "Retry" says whether the same attempt may succeed later by itself.',
  ];
  for (const [area, entries] of areas) {
    lines.push(
      '',
      `## ${area}`,
      '',
      '| Code | Meaning | What to do | HTTP | Retry |',
      '| --- | --- | --- | --- | --- |',
    );
    for (const [code, entry] of entries) {
      const cells = [
        `\`${code}\``,
        entry.meaning,
        entry.remedy,
        entry.httpStatus,
        entry.retryable ? 'yes' : 'no',
      ];
      lines.push(`| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`);
    }
  }
  return `${lines.join('\n')}\n`;
}
