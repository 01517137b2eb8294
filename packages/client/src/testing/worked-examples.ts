/** The worked examples of spec/protocol.md 11.4 to 11.6, byte for byte. */

/** 11.5: the response's lines L1 to L9. */
export const SESSION_LINES = [
  String.raw`{"checkpoint":{"last_op_id":"3","buckets":[{"bucket":"7#lists|0[\"u1\"]","checksum":-607037875,"count":1,"priority":1,"subscriptions":[{"default":0}]},{"bucket":"7#todos|0[\"L1\"]","checksum":-1739258475,"count":2,"priority":3,"subscriptions":[{"sub":0}]}],"streams":[{"name":"lists","is_default":true,"errors":[]},{"name":"todos","is_default":false,"errors":[]}]}}`,
  String.raw`{"data":{"bucket":"7#lists|0[\"u1\"]","after":"0","has_more":false,"data":[{"op_id":"1","op":"PUT","object_type":"lists","object_id":"L1","checksum":3687929421,"subkey":"T-lists/11111111-1111-5111-8111-111111111111","data":"{\"id\":\"L1\",\"name\":\"Groceries\",\"owner_id\":\"u1\"}"}],"next_after":"1"}}`,
  String.raw`{"partial_checkpoint_complete":{"last_op_id":"3","priority":1}}`,
  String.raw`{"data":{"bucket":"7#todos|0[\"L1\"]","after":"0","has_more":false,"data":[{"op_id":"2","op":"PUT","object_type":"todos","object_id":"T1","checksum":3603514498,"subkey":"T-todos/21111111-1111-5111-8111-111111111111","data":"{\"id\":\"T1\",\"list_id\":\"L1\",\"title\":\"Milk\",\"qty\":2}"},{"op_id":"3","op":"PUT","object_type":"todos","object_id":"T2","checksum":3247161619,"subkey":"T-todos/22222222-2222-5222-8222-222222222222","data":"{\"id\":\"T2\",\"list_id\":\"L1\",\"title\":\"Bread\",\"qty\":1}"}],"next_after":"3"}}`,
  String.raw`{"checkpoint_complete":{"last_op_id":"3"}}`,
  String.raw`{"token_expires_in":3540}`,
  String.raw`{"checkpoint_diff":{"last_op_id":"4","write_checkpoint":"1","removed_buckets":[],"updated_buckets":[{"bucket":"7#todos|0[\"L1\"]","checksum":-611357420,"count":3,"priority":3,"subscriptions":[{"sub":0}]}]}}`,
  String.raw`{"data":{"bucket":"7#todos|0[\"L1\"]","after":"3","has_more":false,"data":[{"op_id":"4","op":"REMOVE","object_type":"todos","object_id":"T1","checksum":1127901055,"subkey":"T-todos/21111111-1111-5111-8111-111111111111","data":null}],"next_after":"4"}}`,
  String.raw`{"checkpoint_complete":{"last_op_id":"4"}}`,
] as const;

/** 11.6: some of them as BSON, by number. */
export const SESSION_LINES_AS_BSON: Readonly<Record<number, string>> = {
  2: '2f01000003646174610024010000026275636b6574001000000037236c697374737c305b227531225d0002616674657200020000003000086861735f6d6f72650000046461746100d3000000033000cb000000026f705f696400020000003100026f70000400000050555400026f626a6563745f7479706500060000006c6973747300026f626a6563745f696400030000004c310001636865636b73756d000000a0c92a7aeb41027375626b6579002d000000542d6c697374732f31313131313131312d313131312d353131312d383131312d313131313131313131313131000264617461002f0000007b226964223a224c31222c226e616d65223a2247726f636572696573222c226f776e65725f6964223a227531227d000000026e6578745f6166746572000200000031000000',
  5: '3100000003636865636b706f696e745f636f6d706c6574650017000000026c6173745f6f705f6964000200000033000000',
  6: '1b00000010746f6b656e5f657870697265735f696e00d40d000000',
};

/** 11.4: the line of data after both passes of compaction. */
export const COMPACTED_LINE = String.raw`{"data":{"bucket":"7#todos|0[\"L1\"]","after":"0","has_more":false,"data":[{"op_id":"11","op":"CLEAR","checksum":530239124},{"op_id":"12","op":"PUT","object_type":"todos","object_id":"A","checksum":2576679518,"subkey":"tt/aaaaaaaa-0000-5000-8000-000000000001","data":"{\"id\":\"A\",\"title\":\"a2\"}"},{"op_id":"13","op":"REMOVE","object_type":"todos","object_id":"B","checksum":3425507020,"subkey":"tt/bbbbbbbb-0000-5000-8000-000000000002","data":null},{"op_id":"14","op":"PUT","object_type":"todos","object_id":"C","checksum":2297328903,"subkey":"tt/cccccccc-0000-5000-8000-000000000003","data":"{\"id\":\"C\",\"title\":\"c1\"}"}],"next_after":"14"}}`;

/** 11.5: the body of the request, and the one after a disconnect. */
export const SESSION_REQUEST = requestWith('[]');
export const SESSION_REQUEST_AGAIN = requestWith(
  String.raw`[{"name":"7#lists|0[\"u1\"]","after":"4"},{"name":"7#todos|0[\"L1\"]","after":"4"}]`,
);

function requestWith(buckets: string): string {
  return `{"buckets":${buckets},"include_checksum":true,"raw_data":true,"binary_data":true,"client_id":"f799e8d4-1598-435b-80c6-9197c4c48b02","parameters":{},"streams":{"include_defaults":true,"subscriptions":[{"stream":"todos","parameters":{"list_id":"L1"},"override_priority":null}]}}`;
}

/** 11.5: what a service answers to it if nothing has changed. */
export const SESSION_CHECKPOINT_AGAIN = SESSION_LINES[0]
  .replace('"last_op_id":"3"', '"last_op_id":"4","write_checkpoint":"1"')
  .replace('-1739258475,"count":2', '-611357420,"count":3');

/** 11.7: frames, as hex. */
export const FRAMES = {
  setup:
    '0000000005000001000000004e2000015f90106170706c69636174696f6e2f6a736f6e106170706c69636174696f6e2f6a736f6e0000487b22746f6b656e223a22546f6b656e2065794a68624763694f694a49557a49314e694a392e6533302e4141222c22757365725f6167656e74223a226578616d706c652f312e30227d',
  /** REQUEST_STREAM without its data: stream 1, N = 10, `{"path":"/sync/stream"}`. */
  requestHead: '0000000119000000000a0000177b2270617468223a222f73796e632f73747265616d227d',
  payloadL5:
    '0000000128203100000003636865636b706f696e745f636f6d706c6574650017000000026c6173745f6f705f6964000200000033000000',
  requestFive: '00000001200000000005',
  keepalive: '000000000c800000000000000000',
  keepaliveAnswer: '000000000c000000000000000000',
  /** `[PSYNC_S2103] token expired` */
  setupRefused: '000000002c00000000035b5053594e435f53323130335d20746f6b656e2065787069726564',
  /** `[PSYNC_S2302] nothing deployed` */
  streamRefused: '000000012c00000002015b5053594e435f53323330325d206e6f7468696e67206465706c6f796564',
  complete: '000000012840',
} as const;
