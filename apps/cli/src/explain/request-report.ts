import type {
  DefinitionExplanation,
  RequestExplanation,
  SubscriptionReason,
} from '@sluice/sync-config';
import { counted, cut, formatCount } from '../terminal/text.ts';
import { grouped } from './grouped.ts';
import { wrapText, type Colors } from './printed-lines.ts';
import { absenceText, conditionText, nothingFoundText, waysText } from './reason-text.ts';
import type { ClientRow, SyncedData } from './synced-data.ts';

/** The rows that a user gets through one definition, each once. */
export interface DefinitionRows {
  readonly definition: string;
  readonly rowsByTable: ReadonlyMap<string, readonly ClientRow[]>;
}

/** Reads the rows of all buckets of a request, and how many there are without repetition. */
export async function rowsOfRequest(
  { resolved }: RequestExplanation,
  data: SyncedData,
): Promise<{ readonly definitions: readonly DefinitionRows[]; readonly total: number }> {
  const byDefinition = new Map<string, Map<string, ClientRow>>();
  const all = new Set<string>();
  for (const { name, definition } of resolved?.buckets ?? []) {
    const rows = byDefinition.get(definition) ?? new Map<string, ClientRow>();
    byDefinition.set(definition, rows);
    for (const row of await data.rowsOf(name)) {
      const id = JSON.stringify([row.objectType, row.objectId]);
      rows.set(id, row);
      all.add(id);
    }
  }
  const definitions = [...byDefinition].map(([definition, rows]) => ({
    definition,
    rowsByTable: grouped(rows.values(), ({ objectType }) => objectType),
  }));
  return { definitions, total: all.size };
}

export interface RequestReportOptions {
  readonly who: string;
  readonly colors: Colors;
  readonly columns: number;
  /** Rows to show per table. */
  readonly maxRows: number;
}

const INDENT = '    ';

/** What a user gets, by definition; then what not, and why. */
export function requestReport(
  explanation: RequestExplanation,
  rows: readonly DefinitionRows[],
  options: RequestReportOptions,
): string[] {
  const gives = (definition: DefinitionExplanation) =>
    bucketsOf(definition, explanation).length > 0;
  const { definitions } = explanation;
  const missing = definitions.filter((definition) => !gives(definition));
  return [
    ...definitions.filter(gives).flatMap((definition) => {
      const own = rows.find((one) => one.definition === definition.name);
      return ['', ...presentLines(definition, explanation, own, options)];
    }),
    ...(missing.length > 0 ? [''] : []),
    ...missing.flatMap((definition) => missingLines(definition, explanation, options)),
  ];
}

function bucketsOf({ name }: DefinitionExplanation, { resolved }: RequestExplanation) {
  return (resolved?.buckets ?? []).filter(({ definition }) => definition === name);
}

function presentLines(
  definition: DefinitionExplanation,
  explanation: RequestExplanation,
  rows: DefinitionRows | undefined,
  options: RequestReportOptions,
): string[] {
  const { colors, columns } = options;
  const buckets = bucketsOf(definition, explanation);
  const priorities = [...new Set(buckets.map(({ priority }) => priority))].toSorted(
    (a, b) => a - b,
  );
  const facts = `${counted(buckets.length, 'bucket')}, priority ${priorities.join(' and ')}`;
  const lines = [`${colors.green('✓')} ${colors.bold(definition.name)}  ${colors.dim(facts)}`];
  for (const text of whyTexts(definition)) {
    lines.push(...wrapText(text, INDENT, columns));
  }
  const byTable = rows?.rowsByTable ?? new Map<string, readonly ClientRow[]>();
  if (byTable.size === 0) lines.push(`${INDENT}${colors.dim('no rows in it now')}`);
  for (const [table, list] of byTable) lines.push(...tableLines(table, list, options));
  return lines;
}

/** One text for each participation: how it comes to its buckets, or why to none. */
function whyTexts(definition: DefinitionExplanation): string[] {
  return definition.participations.map(({ reason, error, resolutions }) => {
    const head = reasonText(reason);
    if (error !== undefined) return `${head}: fails, ${error}`;
    const hits = resolutions.filter(({ buckets }) => buckets.length > 0);
    if (hits.length === 0) return `${head}: nothing, ${missTexts(resolutions).join('; ')}`;
    return `${head}: ${waysText(hits)}`;
  });
}

/** Who asked for it. */
export function reasonText(reason: SubscriptionReason): string {
  return 'sub' in reason ? `subscription ${reason.sub + 1}` : 'by default';
}

function missTexts(
  resolutions: DefinitionExplanation['participations'][number]['resolutions'],
): string[] {
  const texts = resolutions.flatMap(({ failed, parts }) => [
    ...failed.map(conditionText),
    ...parts.filter(({ isEmpty }) => isEmpty).map(nothingFoundText),
  ]);
  return texts.length === 0 ? ['nothing that all conditions share'] : [...new Set(texts)];
}

function tableLines(
  table: string,
  rows: readonly ClientRow[],
  { colors, columns, maxRows }: RequestReportOptions,
): string[] {
  const shown = rows.slice(0, maxRows);
  const rest = rows.length - shown.length;
  return [
    `${INDENT}${colors.cyan(table)} ${counted(rows.length, 'row')}`,
    ...shown.map(({ data }) => `${INDENT}  ${colors.dim(cut(data, columns - INDENT.length - 2))}`),
    ...(rest > 0 && shown.length > 0
      ? [`${INDENT}  ${colors.dim(`… ${formatCount(rest)} more`)}`]
      : []),
  ];
}

function missingLines(
  definition: DefinitionExplanation,
  explanation: RequestExplanation,
  { who, colors, columns }: RequestReportOptions,
): string[] {
  const { name, absence } = definition;
  const isRefused = explanation.refusal !== undefined;
  const texts =
    absence !== undefined
      ? [absenceText(absence, who)]
      : isRefused
        ? ['not decided, for the request is refused']
        : whyTexts(definition);
  const mark = absence === undefined ? colors.yellow('✗') : colors.dim('–');
  return [
    `${mark} ${colors.bold(name)}  ${colors.dim('no bucket')}`,
    ...texts.flatMap((text) => wrapText(text, INDENT, columns)),
  ];
}
