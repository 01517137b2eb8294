/** What the tabs of one database agree on: locks and channels by name, of one origin. */
export interface TabNames {
  /** Held by the worker that owns the files, until it is gone. */
  readonly leaderLock: string;
  /** Held by each worker from its start to its end, whatever end that is. */
  readonly workerLock: (worker: string) => string;
  /** Held by each tab while it lives. */
  readonly tabLock: (tab: string) => string;
  /** Everybody hears what is said here. */
  readonly control: string;
  /** Between one leader and one tab. */
  readonly link: (leader: string, tab: string) => string;
}

export function tabNames(database: string): TabNames {
  const prefix = `sluice:${encodeURIComponent(database)}`;
  return {
    leaderLock: `${prefix}:leader`,
    workerLock: (worker) => `${prefix}:worker:${worker}`,
    tabLock: (tab) => `${prefix}:tab:${tab}`,
    control: `${prefix}:control`,
    link: (leader, tab) => `${prefix}:link:${leader}:${tab}`,
  };
}

/** A leader's name: its worker's, and a number that grows when it opens the database anew. */
export function leaderName(worker: string, term: number): string {
  return `${worker}/${term}`;
}

/** The worker of a leader. */
export function workerOf(leader: string): string {
  return leader.slice(0, leader.lastIndexOf('/'));
}
