/**
 * Whose turn it is on the writer's connection. An app's transaction may stay open while the app awaits something; what sync does
 * meanwhile would become part of it, and be rolled back with it.
 */
export interface WriterTurn {
  /** Whether no transaction of the app is open. */
  readonly isFree: boolean;
  /** Resolves when that may have changed. */
  whenFree(): Promise<void>;
}

/** For a connection that the app does not use. */
export const ALWAYS_FREE: WriterTurn = { isFree: true, whenFree: () => Promise.resolve() };

/** What follows without another `await` has the turn. */
export async function untilFree(turn: WriterTurn): Promise<void> {
  while (!turn.isFree) await turn.whenFree();
}
