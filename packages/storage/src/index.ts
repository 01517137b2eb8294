export type {
  AddCopy,
  BucketState,
  BucketStorage,
  CacheStats,
  CheckpointDelta,
  CheckpointRequest,
  CompactionReport,
  DeleteRow,
  Discarded,
  DropTombstones,
  Generation,
  GenerationConfigs,
  GenerationReader,
  GenerationWriter,
  NewGeneration,
  OpsChunk,
  PutRow,
  ReadOps,
  RemoveCopy,
  RaiseNumber,
  RowChange,
  RowRef,
  StorageStats,
  StoredConfig,
  StoredTable,
  TruncateTable,
  WriteBatch,
  WriteCheckpointStore,
  WriterProgress,
} from './contract.ts';
export {
  compactBucket,
  type BucketSegments,
  type CompactBucketOptions,
  type CompactionProgress,
} from './compaction/compact-bucket.ts';
export { type Rewrite } from './compaction/rewrite.ts';
export { ChunkAssembler } from './segment/chunk-assembler.ts';
export { type SegmentData } from './segment/encode-index.ts';
export {
  canMerge,
  MERGED_MAX_BYTES,
  MERGED_MAX_DROPPED,
  MERGED_MAX_OPS,
  mergeSegments,
  type MergeCandidate,
} from './segment/merge-segments.ts';
export {
  SEGMENT_MAX_BYTES,
  SEGMENT_MAX_OPS,
  SegmentFlush,
  type FlushedSegment,
  type OpTail,
} from './segment/segment-flush.ts';
export { SegmentIndex, type SegmentSums, type SegmentSummary } from './segment/segment-index.ts';
export { Segment, type SegmentSlice, type SliceRequest } from './segment/segment.ts';
export { subkeyOf } from './subkey.ts';
