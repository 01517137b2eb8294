export { MemoryDisk } from './memory-storage/memory-data.ts';
export { MemoryStorage } from './memory-storage/memory-storage.ts';
export { SeededRandom } from './seeded-random.ts';
export {
  SimulatedDatabase,
  type TransactionWriter,
} from './simulated-source/simulated-database.ts';
export { SimulatedSource, type SimulationOptions } from './simulated-source/simulated-source.ts';
