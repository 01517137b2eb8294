import { deserialize } from 'bson';
import { AppError, isJsonObject, SyncError, type JsonObject } from '@sluice/base';

/** Reads the metadata or data of a frame, in the encoding that the setup has named for it. */
export type DecodePayload = (bytes: Uint8Array, what: string) => JsonObject;

const DECODERS: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
  'application/json': (bytes) =>
    JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)),
  'application/bson': (bytes) => deserialize(bytes),
};

/**
 * The decoder for a MIME type of the setup (spec/protocol.md 3.3). It throws SyncError
 * `SYNC_REQUEST_INVALID` for what is not an object in that encoding.
 *
 * @throws AppError `API_MEDIA_TYPE`.
 */
export function payloadDecoder(mime: string): DecodePayload {
  const decode = DECODERS[mime];
  if (decode === undefined) {
    throw new AppError(
      'API_MEDIA_TYPE',
      `Payloads of type ${mime.slice(0, 100)} are not supported`,
    );
  }
  return (bytes, what) => {
    const value = decodeOr(decode, bytes, what, mime);
    if (isJsonObject(value)) return value;
    throw new SyncError('SYNC_REQUEST_INVALID', `The ${what} is not an object`);
  };
}

function decodeOr(
  decode: (bytes: Uint8Array) => unknown,
  bytes: Uint8Array,
  what: string,
  mime: string,
): unknown {
  try {
    return decode(bytes);
  } catch (cause) {
    throw new SyncError('SYNC_REQUEST_INVALID', `The ${what} is not ${mime}`, { cause });
  }
}
