import { DatabaseClosedError } from '../errors.ts';

export interface RereadOptions<Value> {
  readonly read: () => Promise<Value>;
  readonly set: (value: Value) => void;
  readonly onProblem: (problem: unknown) => void;
}

/** A value that is read now and whenever the function it gives is called: one read at a time, and one more for all that comes meanwhile. */
export function rereading<Value>({ read, set, onProblem }: RereadOptions<Value>): () => void {
  let isReading = false;
  let isStale = false;
  const run = async (): Promise<void> => {
    isStale = true;
    if (isReading) return;
    isReading = true;
    while (isStale) {
      isStale = false;
      try {
        set(await read());
      } catch (error) {
        if (!(error instanceof DatabaseClosedError)) onProblem(error);
      }
    }
    isReading = false;
  };
  void run();
  return () => void run();
}
