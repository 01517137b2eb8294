/** One instruction of a compiled statement, as `EXPLAIN` prints it. */
export interface Instruction {
  readonly address: number;
  readonly opcode: string;
  readonly p1: number;
  readonly p2: number;
  readonly p3: number;
  readonly p4: string;
  readonly p5: number;
}

/**
 * The programs that `EXPLAIN` prints one after the other: the statement's own, then those of the triggers and foreign keys that it
 * fires. Each numbers its addresses and cursors from 0.
 */
export function splitPrograms(
  instructions: readonly Instruction[],
): readonly (readonly Instruction[])[] {
  const programs: Instruction[][] = [];
  for (const instruction of instructions) {
    const current = programs.at(-1);
    if (current === undefined || instruction.address === 0) programs.push([instruction]);
    else current.push(instruction);
  }
  return programs;
}
