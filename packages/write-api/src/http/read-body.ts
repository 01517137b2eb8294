import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { AppError, parseExactJson } from '@sluice/base';

const gunzipAsync = promisify(gunzip);
const inflateAsync = promisify(inflate);

/**
 * The JSON body of a request, plain or compressed (gzip, deflate); integers that a double cannot hold
 * come as text.
 *
 * @throws AppError `API_BODY_TOO_LARGE` beyond `maxBytes`, before or after decompression;
 * `API_MEDIA_TYPE` for another compression; `UPLOAD_INVALID` for what is not JSON.
 */
export async function readJsonBody(request: Request, maxBytes: number): Promise<unknown> {
  const text = await readText(request, maxBytes);
  try {
    return parseExactJson(text);
  } catch (cause) {
    throw new AppError('UPLOAD_INVALID', 'The body is not valid JSON', { cause });
  }
}

async function readText(request: Request, maxBytes: number): Promise<string> {
  const sent = await readBytes(request, maxBytes);
  const bytes = await decompressed(sent, request.headers.get('content-encoding'), maxBytes);
  return bytes.toString('utf8');
}

async function readBytes(request: Request, maxBytes: number): Promise<Buffer> {
  const announced = request.headers.get('content-length');
  if (Number(announced ?? 0) > maxBytes) throw tooLarge(maxBytes);
  // Whoever passes the header on has counted; at once is cheaper than piece by piece.
  if (announced !== null) return Buffer.from(await request.arrayBuffer());
  const parts: Uint8Array[] = [];
  let byteLength = 0;
  for await (const part of request.body ?? []) {
    const bytes = part as Uint8Array;
    byteLength += bytes.byteLength;
    if (byteLength > maxBytes) throw tooLarge(maxBytes);
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}

async function decompressed(
  bytes: Buffer,
  encoding: string | null,
  maxBytes: number,
): Promise<Buffer> {
  const name = (encoding ?? 'identity').trim().toLowerCase();
  if (name === 'identity') return bytes;
  const decompress = { gzip: gunzipAsync, 'x-gzip': gunzipAsync, deflate: inflateAsync }[name];
  if (decompress === undefined) {
    throw new AppError('API_MEDIA_TYPE', `The body is compressed with ${name.slice(0, 20)}`, {
      remedy: 'Send it plain, or with gzip',
    });
  }
  try {
    return await decompress(bytes, { maxOutputLength: maxBytes });
  } catch (cause) {
    if (cause instanceof RangeError) throw tooLarge(maxBytes);
    throw new AppError('UPLOAD_INVALID', `The body is not valid ${name}`, { cause });
  }
}

function tooLarge(maxBytes: number): AppError {
  return new AppError('API_BODY_TOO_LARGE', `The upload is larger than ${maxBytes} bytes`, {
    remedy: 'Upload fewer entries at a time',
  });
}
