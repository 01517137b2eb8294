import type { ServiceStatus, SnapshotProgress } from '@sluice/server';
import type { Screen } from '../terminal/screen.ts';
import { counted, formatBytes, formatCount, formatDuration } from '../terminal/text.ts';

/** One line about a running service: `● streaming  lag 0 ms  checkpoint 3,724  12 ops/s  2 clients`. */
export function statusText(status: ServiceStatus, colors: Screen['colors']): string {
  const { replication } = status;
  const paint = PAINT[replication.state];
  const parts = [
    colors[paint](`● ${replication.state}`),
    ...snapshotText(status),
    ...(replication.fill ? [colors.cyan(`filling${fillText(status)}`)] : []),
    ...(replication.state === 'streaming' ? [`lag ${lagText(status)}`] : []),
    `checkpoint ${checkpointText(status)}`,
    `${formatCount(Math.round(status.opsPerSecond))} ops/s`,
    counted(status.clients, 'client'),
    ...(replication.lastError ? [colors.red(replication.lastError.code)] : []),
  ];
  return parts.join('  ');
}

function checkpointText({ checkpointOpId }: ServiceStatus): string {
  return checkpointOpId === undefined ? 'none yet' : formatCount(BigInt(checkpointOpId));
}

const PAINT = {
  off: 'dim',
  starting: 'yellow',
  connecting: 'yellow',
  snapshotting: 'cyan',
  streaming: 'green',
  waiting: 'red',
  stopped: 'dim',
} as const satisfies Record<ServiceStatus['replication']['state'], string>;

/** `table 1 of 2, 3,000 of about 12,000 rows`; empty when no snapshot runs. */
export function snapshotText({ replication }: ServiceStatus): string[] {
  const { snapshot, state } = replication;
  return state === 'snapshotting' && snapshot !== undefined ? [progressText(snapshot)] : [];
}

/** `: table 1 of 2, …` of what is filled beside what serves, or before anything does. */
export function fillText(status: ServiceStatus): string {
  const { fill } = status.replication;
  const [text] = fill ? [progressText(fill)] : snapshotText(status);
  return text === undefined ? '' : `: ${text}`;
}

function progressText(progress: SnapshotProgress): string {
  const { rowsEstimated, rowsDone, tablesDone, tablesTotal } = progress;
  const isKnown = rowsEstimated !== undefined && rowsEstimated >= rowsDone;
  const total = isKnown ? ` of about ${formatCount(rowsEstimated)}` : '';
  const table = `table ${Math.min(tablesDone + 1, tablesTotal)} of ${tablesTotal}`;
  return `${table}, ${formatCount(rowsDone)}${total} rows`;
}

function lagText({ replication }: ServiceStatus): string {
  const time = formatDuration(replication.lagMs ?? 0);
  const bytes = replication.lagBytes ?? 0;
  return bytes > 1_000_000 ? `${time}, ${formatBytes(bytes)}` : time;
}
