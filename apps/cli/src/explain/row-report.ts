import type {
  BucketVisibility,
  RequestExplanation,
  RowEvent,
  RowExplanation,
  RowLookup,
  RowPlacement,
  VisibilityExplanation,
} from '@sluice/sync-config';
import { counted } from '../terminal/text.ts';
import { grouped } from './grouped.ts';
import { wrapText, type Colors } from './printed-lines.ts';
import {
  isConstantKey,
  keysText,
  rowReasonText,
  visibilityReasonText,
  waysText,
} from './reason-text.ts';
import { reasonText } from './request-report.ts';

/** A user's side of the answer. */
export interface UserSide {
  readonly who: string;
  readonly request: RequestExplanation;
  readonly visibility: VisibilityExplanation;
}

export interface RowReportOptions {
  /** Undefined: for nobody in particular. */
  readonly user: UserSide | undefined;
  readonly colors: Colors;
  readonly columns: number;
}

const INDENT = '    ';

/** For each definition that reads the table: the row's buckets, who has them, or why it is in none. */
export function rowReport(row: RowExplanation, options: RowReportOptions): string[] {
  const byDefinition = grouped(row.placements, ({ definition }) => definition);
  return [
    ...[...byDefinition].flatMap(([name, placements]) => [
      '',
      ...definitionLines(name, placements, options),
    ]),
    ...lookupLines(row.lookups, options),
    ...row.events.flatMap((event) => ['', ...eventLines(event, options)]),
  ];
}

function definitionLines(
  name: string,
  placements: readonly RowPlacement[],
  options: RowReportOptions,
): string[] {
  const { colors, columns, user } = options;
  const placed = placements.filter(({ buckets }) => buckets.length > 0);
  const head = (mark: string, text: string) => `${mark} ${colors.bold(name)}  ${colors.dim(text)}`;
  if (placed.length === 0) {
    const reasons = placements.flatMap(({ whyNot }) => whyNot.map(rowReasonText));
    return [
      head(colors.yellow('✗'), 'in no bucket'),
      ...[...new Set(reasons)].flatMap((text) => wrapText(text, INDENT, columns)),
    ];
  }
  const own = user?.visibility.buckets.filter(({ definition }) => definition === name);
  const buckets = placed.flatMap((placement) => placement.buckets);
  const tables = [...new Set(placed.map(({ objectType }) => objectType))].join(', ');
  const has = own === undefined || own.some(({ subscriptions }) => subscriptions.length > 0);
  return [
    head(
      has ? colors.green('✓') : colors.yellow('✗'),
      `as ${tables}${buckets.length > 1 ? ` in ${counted(buckets.length, 'bucket')}` : ''}`,
    ),
    ...buckets.flatMap((bucket) => {
      const seen = own?.find(({ name: other }) => other === bucket.name);
      return [
        ...wrapText(`bucket ${keysText(bucket.keys)}`, INDENT, columns),
        ...(seen === undefined || user === undefined ? [] : visibilityLines(seen, user, options)),
      ];
    }),
  ];
}

function visibilityLines(
  bucket: BucketVisibility,
  user: UserSide,
  { columns }: RowReportOptions,
): string[] {
  const { who } = user;
  const indent = `${INDENT}  `;
  if (bucket.subscriptions.length > 0) {
    return howTexts(bucket, user).flatMap((text) =>
      wrapText(`${who} has it ${text}`, indent, columns),
    );
  }
  const reasons = [...new Set(bucket.whyNot.map((reason) => visibilityReasonText(reason, who)))];
  return reasons.flatMap((text) => wrapText(`${who} does not have it: ${text}`, indent, columns));
}

/** For each subscription that has the bucket, by what. */
function howTexts({ definition, name }: BucketVisibility, { request }: UserSide): string[] {
  const explained = request.definitions.find((one) => one.name === definition);
  return (explained?.participations ?? []).flatMap(({ reason, resolutions }) => {
    const hits = resolutions.filter(({ buckets }) => buckets.includes(name));
    return hits.length === 0 ? [] : [`${reasonText(reason)}: ${waysText(hits)}`];
  });
}

/** The row as something by which others find their buckets. */
function lookupLines(
  lookups: readonly RowLookup[],
  { colors, columns }: RowReportOptions,
): string[] {
  const texts = lookups.map(({ definition, lookup, entries, whyNot }) => {
    const key = lookup.keys.filter((sql) => !isConstantKey(sql)).join(', ');
    if (entries.length === 0) {
      return `${definition}: ${key === '' ? '' : `by ${key} `}it is not found: ${whyNot.map(rowReasonText).join('; ')}`;
    }
    const found = entries.slice(0, 3).map(({ keys, outputs }) => {
      const by = lookup.keys
        .flatMap((sql, i) => (isConstantKey(sql) ? [] : [`${sql} = ${keys[i] ?? 'NULL'}`]))
        .join(' and ');
      const gives = lookup.outputs.map((sql, i) => `${sql} ${outputs[i] ?? 'NULL'}`).join(', ');
      return `${by || 'everybody'} → ${gives || 'that it exists'}`;
    });
    return `${definition}: ${found.join('; ')}`;
  });
  if (texts.length === 0) return [];
  const lines = [...new Set(texts)].flatMap((text) => wrapText(text, INDENT, columns));
  return ['', `${colors.dim('·')} Streams look the row up to find the buckets of a user`, ...lines];
}

/** What an event makes of the row. */
function eventLines(
  { event, payload, result }: RowEvent,
  { colors, columns }: RowReportOptions,
): string[] {
  const isMade = result.kind === 'write checkpoint';
  const head = `${isMade ? colors.green('✓') : colors.dim('·')} ${colors.bold(`event ${event}`)}`;
  const lines = [
    eventText(result),
    ...(payload.length === 0 ? [] : [`payload ${keysText(payload)}`]),
  ];
  return [head, ...lines.flatMap((text) => wrapText(text, INDENT, columns))];
}

function eventText(result: RowEvent['result']): string {
  switch (result.kind) {
    case 'left out':
      return `leaves the row out: ${result.whyNot.map(rowReasonText).join('; ')}`;
    case 'write checkpoint':
      return `write checkpoint ${result.value} of ${result.user}, as long as none is higher`;
    case 'no write checkpoint':
      return `makes no write checkpoint: ${result.message}`;
    case 'unused':
      return 'nothing consumes events of this name';
  }
}

/** Several reasons are above, each with its definition. */
function onlyReason({ placements }: RowExplanation): string {
  const texts = new Set(placements.flatMap(({ whyNot }) => whyNot.map(rowReasonText)));
  const [only] = texts;
  return only === undefined || texts.size > 1 ? '' : `, for ${only}`;
}

/** The answer in one sentence. */
export function verdictOf(
  name: string,
  row: RowExplanation,
  user: UserSide | undefined,
): { readonly isYes: boolean; readonly text: string } {
  const placed = row.placements.filter(({ buckets }) => buckets.length > 0);
  const streams = (names: Iterable<string>) => {
    const list = [...new Set(names)];
    return `${list.length === 1 ? 'stream' : 'streams'} ${list.join(', ')}`;
  };
  if (placed.length === 0) {
    const text =
      row.placements.length === 0
        ? `${name} is on no device: ${row.events.length === 0 ? 'nothing syncs rows of its table' : 'its table is read by events alone'}`
        : `${name} is on no device: it is in no bucket${onlyReason(row)}`;
    return { isYes: false, text };
  }
  if (user === undefined) {
    const count = placed.reduce((sum, { buckets }) => sum + buckets.length, 0);
    const text = `${name} is in ${counted(count, 'bucket')} of ${streams(placed.map(({ definition }) => definition))}`;
    return { isYes: true, text };
  }
  const { who, visibility } = user;
  const had = visibility.buckets.filter(({ subscriptions }) => subscriptions.length > 0);
  if (had.length > 0) {
    const through = streams(had.map(({ definition }) => definition));
    return { isYes: true, text: `${name} is on ${who}'s device through ${through}` };
  }
  const [first] = visibility.buckets.flatMap(({ whyNot }) => whyNot);
  const why = first === undefined ? '' : `: ${visibilityReasonText(first, who)}`;
  return { isYes: false, text: `${name} is not on ${who}'s device${why}` };
}
