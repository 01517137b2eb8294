import type { ServiceStatus } from '@sluice/server';
import type { Screen } from '../terminal/screen.ts';
import { counted, formatBytes, formatCount, formatDuration } from '../terminal/text.ts';

/** One line about a running service: `● streaming  lag 0 ms  checkpoint 3,724  12 ops/s  2 clients`. */
export function statusText(status: ServiceStatus, colors: Screen['colors']): string {
  const { replication } = status;
  const paint = PAINT[replication.state];
  const parts = [
    colors[paint](`● ${replication.state}`),
    ...snapshotText(status),
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

/** `todos 3,000 of about 12,000 rows`; empty when no snapshot runs. */
export function snapshotText({ replication }: ServiceStatus): string[] {
  const { snapshot } = replication;
  if (replication.state !== 'snapshotting' || snapshot === undefined) return [];
  const total =
    snapshot.rowsEstimated === undefined || snapshot.rowsEstimated < snapshot.rowsDone
      ? ''
      : ` of about ${formatCount(snapshot.rowsEstimated)}`;
  const tables = `table ${Math.min(snapshot.tablesDone + 1, snapshot.tablesTotal)} of ${snapshot.tablesTotal}`;
  return [`${tables}, ${formatCount(snapshot.rowsDone)}${total} rows`];
}

/** `: table 1 of 2, …`; empty when no table is read. */
export function fillText(status: ServiceStatus): string {
  const [text] = snapshotText(status);
  return text === undefined ? '' : `: ${text}`;
}

function lagText({ replication }: ServiceStatus): string {
  const time = formatDuration(replication.lagMs ?? 0);
  const bytes = replication.lagBytes ?? 0;
  return bytes > 1_000_000 ? `${time}, ${formatBytes(bytes)}` : time;
}
