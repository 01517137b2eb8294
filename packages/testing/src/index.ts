export { MemoryDisk } from './memory-storage/memory-data.ts';
export { MemoryStorage } from './memory-storage/memory-storage.ts';
