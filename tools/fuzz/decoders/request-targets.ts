import { serialize } from 'bson';
import { SyncError } from '@sluice/base';
import { FrameError, LineError, parseFrame, parseLine, parseStreamRequest } from '@sluice/protocol';
import { payloadDecoder } from '../../../apps/server/src/websocket/payload-codec.ts';
import { jsonBombs } from './json-bombs.ts';
import { bytesOf, textOf, type DecoderTarget } from './target.ts';

const isSyncError = (error: unknown): boolean => error instanceof SyncError;

/** spec/protocol.md 11.5, and the same from before streams. */
const REQUESTS = [
  {
    buckets: [{ name: '7#lists|0["u1"]', after: '4' }],
    include_checksum: true,
    raw_data: true,
    binary_data: true,
    client_id: 'f799e8d4-1598-435b-80c6-9197c4c48b02',
    parameters: { a: [1, 2.5, null, { b: 'é' }] },
    streams: {
      include_defaults: true,
      subscriptions: [
        { stream: 'todos', parameters: { list_id: 'L1' }, override_priority: null },
        { stream: 'lists', parameters: null, override_priority: 1 },
      ],
    },
    app_metadata: { version: '1' },
  },
  { buckets: [], include_checksum: true },
  {},
];

/** Requests are read, and their parameters written down as evaluation and logs do. */
function readRequest(value: unknown): void {
  JSON.stringify(parseStreamRequest(value).parameters);
}

const fromJson = payloadDecoder('application/json');
const fromBson = payloadDecoder('application/bson');

export const JSON_REQUEST: DecoderTarget = {
  name: 'stream request in JSON',
  samples: REQUESTS.map((request) => bytesOf(JSON.stringify(request))),
  bombs: jsonBombs((value) => `{"parameters":{"a":${value}}}`),
  decode: (bytes) => readRequest(fromJson(bytes, 'request')),
  isRefusal: isSyncError,
};

export const BSON_REQUEST: DecoderTarget = {
  name: 'stream request in BSON',
  samples: REQUESTS.map((request) => serialize(request)),
  bombs: {
    'nested documents': nestedDocuments(50_000),
    'a document as long as it says': Buffer.from('ffffff7f00', 'hex'),
    'a document of negative length': Buffer.from('ffffffff00', 'hex'),
    'a text as long as it says': Buffer.from('1100000002610000ffff7f6100000000', 'hex'),
  },
  decode: (bytes) => readRequest(fromBson(bytes, 'request')),
  isRefusal: isSyncError,
};

/** Documents in each other. */
export function nestedDocuments(levels: number): Uint8Array {
  const perLevel = 8; // length, type, name "a" with its end, end of the document
  const bytes = Buffer.alloc(levels * perLevel + 5);
  for (let level = 0; level < levels; level++) {
    const at = level * 7;
    bytes.writeInt32LE(bytes.length - level * perLevel, at);
    bytes.write('\x03a\0', at + 4, 'latin1');
  }
  bytes.writeInt32LE(5, levels * 7);
  return bytes;
}

/** spec/protocol.md 11.7, and a request that comes in two frames. */
const FRAMES = [
  '0000000005000001000000004e2000015f90106170706c69636174696f6e2f6a736f6e106170706c69636174696f6e2f6a736f6e0000487b22746f6b656e223a22546f6b656e2065794a68624763694f694a49557a49314e694a392e6533302e4141222c22757365725f6167656e74223a226578616d706c652f312e30227d',
  '0000000119000000000a0000177b2270617468223a222f73796e632f73747265616d227d7b226275636b657473223a5b5d2c227261775f64617461223a747275652c22636c69656e745f6964223a226331222c22706172616d6574657273223a7b7d7d',
  '00000001200000000005',
  '000000000c800000000000000000',
  '000000012400',
  '000000012840',
  '000000012c00000002015b5053594e435f53323330325d206e6f7468696e67206465706c6f796564',
];

export const RSOCKET_FRAME: DecoderTarget = {
  name: 'RSocket frame',
  samples: FRAMES.map((hex) => Buffer.from(hex, 'hex')),
  bombs: {
    'metadata longer than the frame': Buffer.from('0000000119000000000affffff7b', 'hex'),
    'a MIME type longer than the frame': Buffer.from(
      '0000000004000001000000004e2000015f90ff61',
      'hex',
    ),
    'a resume token longer than the frame': Buffer.from(
      '0000000004800001000000004e2000015f90ffff',
      'hex',
    ),
  },
  decode: parseFrame,
  isRefusal: (error) => error instanceof FrameError,
};

/** spec/protocol.md 11.4, 11.5 */
const LINES = [
  '{"checkpoint":{"last_op_id":"3","write_checkpoint":"1","buckets":[{"bucket":"7#lists|0[\\"u1\\"]","checksum":-607037875,"count":1,"priority":1,"subscriptions":[{"default":0},{"sub":0}]}],"streams":[{"name":"lists","is_default":true,"errors":[{"subscription":"default","message":"m"}]}]}}',
  '{"checkpoint_diff":{"last_op_id":"4","removed_buckets":["a"],"updated_buckets":[{"bucket":"b","checksum":1}]}}',
  '{"data":{"bucket":"b","after":"0","has_more":false,"data":[{"op_id":"11","op":"CLEAR","checksum":530239124},{"op_id":"12","op":"PUT","object_type":"todos","object_id":"A","checksum":2576679518,"subkey":"s","data":"{}"},{"op_id":"13","op":"REMOVE","object_type":"todos","object_id":"B","checksum":3425507020,"subkey":"t","data":null}],"next_after":"14"}}',
  '{"partial_checkpoint_complete":{"last_op_id":"3","priority":1}}',
  '{"checkpoint_complete":{"last_op_id":"3"}}',
  '{"token_expires_in":3540}',
  '{"something_new":{}}',
];

export const NDJSON_LINE: DecoderTarget = {
  name: 'NDJSON line',
  samples: LINES.map(bytesOf),
  bombs: {
    ...jsonBombs((value) => value),
    ...jsonBombs((value) => `{"checkpoint":{"last_op_id":${value}}}`),
  },
  decode: (bytes) => parseLine(JSON.parse(textOf(bytes))),
  // What is no JSON is for the caller of `JSON.parse`; everything behind it is ours.
  isRefusal: (error) => error instanceof LineError || error instanceof SyntaxError,
};
