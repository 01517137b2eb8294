import { AppError, must } from '@sluice/base';
import {
  explainVisibility,
  type RequestExplanation,
  type RowExplanation,
  type VisibilityExplanation,
} from '@sluice/sync-config';
import type { CliContext } from '../cli-context.ts';
import { findPlace, type ExplainPlace, type PlaceOptions } from '../explain/explain-place.ts';
import { findRow, type FoundRow } from '../explain/find-row.ts';
import { openData, type OpenedData } from '../explain/open-data.ts';
import { wrapText } from '../explain/printed-lines.ts';
import { printJson } from '../explain/print-json.ts';
import { requestReport, rowsOfRequest } from '../explain/request-report.ts';
import { parseRowArgument, type RowArgument } from '../explain/row-argument.ts';
import { rowReport, verdictOf } from '../explain/row-report.ts';
import {
  assertStreamsExist,
  subjectOf,
  type Subject,
  type SubjectOptions,
} from '../explain/subject.ts';
import type { SyncedData } from '../explain/synced-data.ts';
import { counted } from '../terminal/text.ts';

export interface ExplainOptions extends SubjectOptions, PlaceOptions {
  readonly row?: string | undefined;
  /** Rows to show per table. */
  readonly rows: number;
  /** Operations, or rows per table, to read at most. */
  readonly limit: number;
  readonly json?: boolean | undefined;
}

/** Which buckets and rows a user gets; or for one row, who gets it and why not. */
export async function explainCommand(context: CliContext, options: ExplainOptions): Promise<void> {
  const row = options.row === undefined ? undefined : parseRowArgument(options.row);
  const place = await findPlace(context, options);
  const subject = subjectOf(options) ?? (row === undefined ? firstUser(options, place) : undefined);
  await using opened = await openData(context, place, {
    ...options,
    needsSource: row !== undefined,
  });
  const question = { context, options, place, opened };
  if (subject !== undefined) assertStreamsExist(subject, opened.data.plan);
  if (row !== undefined) await answerForRow(question, row, subject);
  else await answerForRequest(question, must(subject, 'somebody who asks'));
}

interface Question {
  readonly context: CliContext;
  readonly options: ExplainOptions;
  readonly place: ExplainPlace;
  readonly opened: OpenedData;
}

/** As `sluice tail`: the first user of `sluice dev`. */
function firstUser(options: ExplainOptions, { users }: ExplainPlace): Subject {
  const subject = subjectOf({ ...options, user: users?.[0] });
  if (subject !== undefined) return subject;
  throw new AppError('CLI_USAGE', 'It is not said what to explain', {
    remedy: 'Add --user NAME for what a user gets, --row TABLE/KEY for a row, or both',
  });
}

async function answerForRequest(question: Question, subject: Subject): Promise<void> {
  const { context, options, opened } = question;
  const { screen } = context;
  const { data } = opened;
  const { who } = subject;
  const explanation = await explainFor(question, subject);
  const { definitions, total } = await rowsOfRequest(explanation, data);
  if (options.json) {
    const rows = definitions.map(({ definition, rowsByTable }) => ({
      definition,
      tables: [...rowsByTable].map(([table, list]) => ({
        table,
        count: list.length,
        rows: list.slice(0, options.rows),
      })),
    }));
    printJson(screen, { ...factsOf(data), who, explanation, rowCount: total, rows });
    return;
  }
  const { colors } = screen;
  const bucketCount = explanation.resolved?.buckets.length ?? 0;
  const gets =
    explanation.refusal === undefined
      ? `${who} gets ${counted(bucketCount, 'bucket')} with ${counted(total, 'row')}`
      : `${who} gets nothing, for the service refuses the request: ${explanation.refusal.message}`;
  screen.print(`${colors.bold(gets)}\n${colors.dim(`from ${data.origin}`)}`);
  const report = { who, colors, columns: columnsOf(screen), maxRows: options.rows };
  for (const line of requestReport(explanation, definitions, report)) screen.print(line);
  printNotes(question, [...subject.notes, ...data.gaps(), ...userNotes(question, subject)]);
}

async function answerForRow(
  question: Question,
  argument: RowArgument,
  subject: Subject | undefined,
): Promise<void> {
  const { context, options, opened } = question;
  const { screen } = context;
  const { data } = opened;
  const source = must(opened.source, 'the database of a row');
  const found = await findRow(source, argument, data.plan.options);
  const explanation = data.plan.explainRow(found.table, found.row, data.prefixes);
  const request = subject && (await explainFor(question, subject));
  const user = subject &&
    request && {
      who: subject.who,
      request,
      visibility: explainVisibility(explanation, request),
    };
  const verdict = verdictOf(found.name, explanation, user);
  const { schema, name } = found.table;
  if (options.json) {
    const row = { schema, table: name, name: found.name };
    const answer = { row, explanation, ...user, verdict };
    printJson(screen, { ...factsOf(data), ...answer });
    return;
  }
  const { colors } = screen;
  const columns = columnsOf(screen);
  const title = subject === undefined ? found.name : `${found.name} and ${subject.who}`;
  screen.print(colors.bold(title));
  screen.print(colors.dim(`by ${data.origin}`));
  for (const line of rowReport(explanation, { user, colors, columns })) screen.print(line);
  const mark = verdict.isYes ? colors.green('✓') : colors.yellow('✗');
  const [first = '', ...rest] = wrapText(verdict.text, '  ', columns);
  screen.print(`\n${mark} ${colors.bold(first.trimStart())}`);
  for (const line of rest) screen.print(colors.bold(line));
  printNotes(question, [
    ...(subject?.notes ?? []),
    ...rowNotes(found),
    ...(user === undefined ? [] : await storedNotes(data, explanation, user.visibility)),
    ...data.gaps(),
    ...(subject === undefined ? [] : userNotes(question, subject)),
  ]);
}

function explainFor(
  { place, opened }: Question,
  { request }: Subject,
): Promise<RequestExplanation> {
  const { plan, prefixes, lookup } = opened.data;
  return plan.explainRequest(request, prefixes, { lookup, maxResults: place.maxParameterResults });
}

function factsOf(data: SyncedData) {
  return { origin: data.origin, gaps: data.gaps() };
}

/** Long lines are hard to read, however wide the terminal is. */
function columnsOf({ columns }: CliContext['screen']): number {
  return Math.min(columns, 100);
}

/** The row is as the database has it now, which the service may not have seen yet. */
async function storedNotes(
  data: SyncedData,
  { placements }: RowExplanation,
  { buckets }: VisibilityExplanation,
): Promise<readonly string[]> {
  const had = buckets.find(({ subscriptions }) => subscriptions.length > 0);
  if (had === undefined) return [];
  const ids = placements.map(({ objectId }) => objectId);
  const rows = await data.rowsOf(had.name);
  const isThere = rows.some(
    ({ objectType, objectId }) => objectType === had.objectType && ids.includes(objectId),
  );
  if (isThere || data.gaps().length > 0) return [];
  return [
    'The bucket does not hold the row yet: the service is behind the database, or follows another one',
  ];
}

function rowNotes({ isReplicated, hasMore, name, table }: FoundRow): readonly string[] {
  return [
    ...(isReplicated
      ? []
      : [`The table ${table.name} is not in the publication, so none of its rows are replicated`]),
    ...(hasMore ? [`More rows match; this is about ${name} only`] : []),
  ];
}

/** Anybody can be a user, so a name that is not known is only worth a remark. */
function userNotes({ options, place }: Question, { who }: Subject): readonly string[] {
  const { users } = place;
  if (options.user === undefined || users === undefined || users.includes(who)) return [];
  return [`${who} is none of the users of sluice dev (${users.join(', ')})`];
}

function printNotes({ context: { screen } }: Question, notes: readonly string[]): void {
  if (notes.length > 0) screen.print();
  for (const note of notes) {
    const [first = '', ...rest] = wrapText(note, '  ', columnsOf(screen));
    screen.print(`${screen.colors.yellow('!')} ${first.trimStart()}`);
    for (const line of rest) screen.print(line);
  }
}
