export { FakeClock, settle } from './fake-clock.ts';
export { MemoryDisk } from './memory-storage/memory-data.ts';
export { MemoryStorage } from './memory-storage/memory-storage.ts';
export { ScratchPostgres } from './scratch-postgres.ts';
export { SeededRandom } from './seeded-random.ts';
export {
  SimulatedDatabase,
  type TransactionWriter,
} from './simulated-source/simulated-database.ts';
export { SimulatedSource, type SimulationOptions } from './simulated-source/simulated-source.ts';
export { scriptedConfig, scriptedPlan, subjectOf, type ScriptedStream } from './scripted-plan.ts';
export { ScriptedStorage, type ScriptedCommit, type ScriptedRow } from './scripted-storage.ts';
export { ScriptedConnection } from './scripted-connection.ts';
export { ScriptedSyncClient } from './scripted-sync-client.ts';
export { until } from './until.ts';
