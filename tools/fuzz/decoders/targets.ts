import { SERVICE_CONFIG_YAML, SYNC_CONFIG_YAML } from './config-targets.ts';
import { BSON_STREAM, NDJSON_STREAM } from './line-stream-targets.ts';
import { PGOUTPUT } from './pgoutput-target.ts';
import { BSON_REQUEST, JSON_REQUEST, NDJSON_LINE, RSOCKET_FRAME } from './request-targets.ts';
import type { DecoderTarget } from './target.ts';
import { TOKEN } from './token-target.ts';

/** Everything that reads bytes which another program, or a person, wrote. */
export const TARGETS: readonly DecoderTarget[] = [
  PGOUTPUT,
  BSON_REQUEST,
  RSOCKET_FRAME,
  JSON_REQUEST,
  NDJSON_LINE,
  NDJSON_STREAM,
  BSON_STREAM,
  SERVICE_CONFIG_YAML,
  SYNC_CONFIG_YAML,
  TOKEN,
];
