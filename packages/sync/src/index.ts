export type { ConcernedSessions, DefinitionUse } from './concerned-sessions.ts';
export {
  SyncHub,
  type HubVitals,
  type OpenSession,
  type SyncHubOptions,
  type SyncStats,
} from './sync-hub.ts';
export type { SyncSession } from './sync-session.ts';
export { DEFAULT_SYNC_LIMITS, type SyncLimits } from './sync-limits.ts';
