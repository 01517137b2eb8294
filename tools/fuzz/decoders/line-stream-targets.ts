import { serialize } from 'bson';
import { LineError } from '@sluice/protocol';
import { BsonLineSplitter, JsonLineSplitter, type LineSplitter } from '@sluice/protocol/client';
import { jsonBombs } from './json-bombs.ts';
import { nestedDocuments } from './request-targets.ts';
import { bytesOf, type DecoderTarget } from './target.ts';

/** Streams of lines as clients read them: cut into chunks wherever the network cuts. */

const MAX_LINE_BYTES = 1 << 20;
const CHUNK_BYTES = 37;

function readStream(splitter: LineSplitter, bytes: Uint8Array): unknown {
  const lines = [];
  // Bombs are large; a prime length lands everywhere in small inputs.
  const step = bytes.length > 10_000 ? 4099 : CHUNK_BYTES;
  for (let at = 0; at < bytes.length; at += step) {
    lines.push(...splitter.push(bytes.subarray(at, at + step)));
  }
  return [...lines, ...splitter.end()];
}

const isLineError = (error: unknown): boolean => error instanceof LineError;

const SESSION: readonly object[] = [
  {
    checkpoint: {
      last_op_id: '3',
      write_checkpoint: '1',
      buckets: [
        { bucket: 'b', checksum: -1, count: 1, priority: 1, subscriptions: [{ default: 0 }] },
      ],
      streams: [{ name: 's', is_default: true, errors: [{ subscription: 0, message: 'm' }] }],
    },
  },
  {
    data: {
      bucket: 'b',
      after: '0',
      has_more: false,
      data: [
        {
          op_id: '1',
          op: 'PUT',
          object_type: 't',
          object_id: 'é',
          checksum: 4294967295,
          subkey: 's',
          data: '{}',
        },
        { op_id: '2', op: 'REMOVE', object_type: 't', object_id: 'x', checksum: 1, data: null },
        { op_id: '3', op: 'CLEAR', checksum: 2 },
      ],
      next_after: '3',
    },
  },
  { partial_checkpoint_complete: { last_op_id: '3', priority: 1 } },
  { checkpoint_complete: { last_op_id: '3' } },
  { token_expires_in: 3540 },
  { something_new: {} },
];

export const NDJSON_STREAM: DecoderTarget = {
  name: 'NDJSON stream',
  samples: [bytesOf(SESSION.map((line) => `${JSON.stringify(line)}\n`).join(''))],
  bombs: {
    ...jsonBombs((value) => `{"checkpoint":{"last_op_id":"1","buckets":[${value}]}}\n`),
    'a line that never ends': Buffer.alloc(MAX_LINE_BYTES * 3, 'a'),
    'only line feeds': Buffer.alloc(MAX_LINE_BYTES, '\n'),
  },
  decode: (bytes) => readStream(new JsonLineSplitter(MAX_LINE_BYTES), bytes),
  isRefusal: isLineError,
};

export const BSON_STREAM: DecoderTarget = {
  name: 'BSON stream',
  samples: [Buffer.concat(SESSION.map((line) => serialize(line)))],
  bombs: {
    'nested documents': nestedDocuments(50_000),
    'a document of 2 GiB': Buffer.concat([Buffer.from('ffffff7f', 'hex'), Buffer.alloc(100_000)]),
    'a document of negative length': Buffer.from('ffffffff00', 'hex'),
    'a text of 2 GiB': Buffer.from('1100000002610000ffff7f6100000000', 'hex'),
    'a list of many nothings': serialize({
      checkpoint: { buckets: Array.from({ length: 50_000 }, () => null) },
    }),
  },
  decode: (bytes) => readStream(new BsonLineSplitter(MAX_LINE_BYTES), bytes),
  isRefusal: isLineError,
};
