import { readFile } from 'node:fs/promises';

/** What Linux counts processor time of processes in. */
const TICKS_PER_SECOND = 100;

/** Processor time of a process with all its threads, in seconds; Linux only, NaN elsewhere. */
export async function cpuSeconds(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name of the program, which may hold blanks, ends with the last bracket.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Milliseconds of a clock that all processes of the machine share. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
