export { SeededRandom } from './seeded-random.ts';
export {
  SimulatedDatabase,
  type TransactionWriter,
} from './simulated-source/simulated-database.ts';
export { SimulatedSource, type SimulationOptions } from './simulated-source/simulated-source.ts';
