/** Bounds of the app's functions, per process. */
export interface FunctionLimits {
  /** Threads for hooks, conflict functions and sign-ins; a thread serves one call at a time. */
  readonly hookWorkers: number;
  readonly endpointWorkers: number;
  readonly hookTimeoutMs: number;
  /** Also of work after a commit. */
  readonly endpointTimeoutMs: number;
  /** Of a thread's JavaScript heap. */
  readonly memoryMb: number;
  readonly loadTimeoutMs: number;
  /** After a call's time: for its thread to hear of it, and for it to end. */
  readonly graceMs: number;
  /** Calls that may wait for a thread. */
  readonly maxWaiting: number;
  readonly waitTimeoutMs: number;
}

export const DEFAULT_FUNCTION_LIMITS: FunctionLimits = {
  hookWorkers: 4,
  endpointWorkers: 4,
  hookTimeoutMs: 5_000,
  endpointTimeoutMs: 30_000,
  memoryMb: 128,
  loadTimeoutMs: 10_000,
  graceMs: 1_000,
  maxWaiting: 1_000,
  waitTimeoutMs: 10_000,
};
