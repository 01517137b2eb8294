import type { DeployPlan, PlannedDefinition, PlannedTable } from '@sluice/server';
import type { Screen } from '../terminal/screen.ts';
import { counted, formatCount, formatDuration } from '../terminal/text.ts';

/** A plan for people: each definition with what happens to it, then what that costs. */
export function planLines(plan: DeployPlan, colors: Screen['colors']): string[] {
  const everything = plan.kind === 'everything';
  const width = Math.max(0, ...plan.definitions.map(({ name }) => name.length));
  const lines = plan.definitions.map((definition) => {
    const { mark, word, paint } =
      CHANGES[everything ? again(definition.change) : definition.change];
    const note = clientNote(definition, everything);
    const text = `${mark} ${definition.name.padEnd(width)}  ${word.padEnd(note === '' ? 0 : 12)}${note}`;
    return `  ${paint === 'plain' ? text : colors[paint](text)}`;
  });
  return [...lines, '', ...summaryLines(plan).map((line) => `  ${line}`)];
}

/** A plan in one line: `1 added, 1 changed, 4 kept; about 3,600 rows to read`. */
export function planSummary(plan: DeployPlan): string {
  if (plan.kind === 'nothing') return 'nothing changes';
  const count = (change: PlannedDefinition['change']): string[] => {
    const found = plan.definitions.filter((definition) => definition.change === change).length;
    return found === 0 ? [] : [`${found} ${change}`];
  };
  const changes = [...count('added'), ...count('changed'), ...count('dropped'), ...count('kept')];
  const reads = plan.definitions.some(({ fills }) => fills) ? `; ${rowsText(plan)} to read` : '';
  const everything = plan.kind === 'everything' ? ', everything anew' : '';
  return changes.join(', ') + everything + reads;
}

const CHANGES = {
  added: { mark: '+', word: 'added', paint: 'green' },
  changed: { mark: '~', word: 'changed', paint: 'yellow' },
  again: { mark: '~', word: 'read again', paint: 'yellow' },
  kept: { mark: '=', word: 'kept', paint: 'plain' },
  dropped: { mark: '-', word: 'dropped', paint: 'red' },
} as const;

function again(change: PlannedDefinition['change']): keyof typeof CHANGES {
  return change === 'kept' ? 'again' : change;
}

function clientNote(definition: PlannedDefinition, everything: boolean): string {
  const { change, fills, clients, undecidedClients } = definition;
  const buckets =
    fills || change === 'kept' || change === 'dropped' ? [] : ['its buckets are there'];
  if (clients === null || clients === 0) return buckets.join(', ');
  const verb = (one: string, many: string): string => (clients === 1 ? one : many);
  const who = `${undecidedClients > 0 ? 'up to ' : ''}${counted(clients, 'client')}`;
  switch (change) {
    case 'added':
      return [`${who} ${verb('downloads', 'download')} it`, ...buckets].join(', ');
    case 'changed':
      return [`${who} ${verb('downloads', 'download')} it again`, ...buckets].join(', ');
    case 'dropped':
      return `${who} ${verb('loses', 'lose')} it`;
    case 'kept':
      return everything ? `${who} ${verb('downloads', 'download')} it again` : '';
  }
}

function summaryLines(plan: DeployPlan): string[] {
  const { kind, changedOptions, tables, clients, refusedClients } = plan;
  const lines: string[] = [];
  if (kind === 'nothing') lines.push('Nothing changes: what serves means the same');
  if (kind === 'first') lines.push('Nothing is served yet; this is the first sync config');
  if (kind === 'everything') {
    const isOne = changedOptions.length === 1;
    const names = changedOptions.join(', ');
    lines.push(
      `Everything is replicated anew: ${names} changed, and the values of rows depend on ${isOne ? 'it' : 'them'}`,
    );
  }
  if (plan.definitions.some(({ fills }) => fills)) {
    const time = !plan.seconds ? '' : `, about ${formatDuration(plan.seconds * 1000)}`;
    lines.push(`Reads ${rowsText(plan)}${fromTables(tables)}${time}`);
    if (kind !== 'first') lines.push('Meanwhile clients are served as before');
  } else if (kind !== 'nothing') {
    lines.push('Nothing has to be read, so it serves at once');
  }
  lines.push(...writeCheckpointLines(plan));
  if (clients !== null) lines.push(`${counted(clients, 'client')} connected now`);
  if (refusedClients !== null && refusedClients > 0) {
    const are = refusedClients === 1 ? 'is' : 'are';
    lines.push(
      `${formatCount(refusedClients)} of them ${are} refused then: what they ask with does not fit`,
    );
  }
  return lines;
}

/** Whose numbers clients wait for is another thing than what they download. */
function writeCheckpointLines({ kind, definitions }: DeployPlan): string[] {
  const change = definitions.find((one) => one.kind === 'event')?.change;
  if (change === 'dropped') {
    return [
      'The service gives out write checkpoints again: clients that wait for one from the database go on after their next upload',
    ];
  }
  if (change !== 'added' || kind === 'first') return [];
  return [
    'Write checkpoints come from the database then: clients that wait for one of the service go on after their next upload',
  ];
}

function rowsText({ rows, tables }: DeployPlan): string {
  if (rows === 0) return 'no rows';
  if (rows !== null) return `about ${counted(rows, 'row')}`;
  const known = tables.reduce((sum, table) => sum + (table.rows ?? 0), 0);
  return known > 0 ? `more than ${counted(known, 'row')}` : 'an unknown number of rows';
}

const MAX_TABLES = 5;

function fromTables(tables: readonly PlannedTable[]): string {
  if (tables.length === 0) return '';
  const named = tables
    .toSorted((a, b) => (b.rows ?? Infinity) - (a.rows ?? Infinity))
    .slice(0, MAX_TABLES)
    .map(({ schema, name, rows }) => {
      const count = tables.length === 1 ? '' : ` (${rows === null ? '?' : formatCount(rows)})`;
      return `${schema}.${name}${count}`;
    });
  const more = tables.length - named.length;
  return ` of ${named.join(', ')}${more > 0 ? ` and ${counted(more, 'more table')}` : ''}`;
}
