import { ClientError } from '@sluice/client';

/**
 * Loads SQLite's module. Bundlers find it by the address below and put it beside the worker; without one, it is looked for at that place
 * relative to the worker, or wherever `url` says.
 *
 * @throws ClientError `WASM`
 */
export async function loadModule(url: string | undefined): Promise<WebAssembly.Module> {
  const address = url ?? new URL('@sqlite.org/sqlite-wasm/sqlite3.wasm', import.meta.url).href;
  try {
    const response = await fetch(address, { credentials: 'same-origin' });
    if (!response.ok) throw new Error(`The answer is ${response.status}`);
    const isTyped = response.headers.get('content-type')?.startsWith('application/wasm') === true;
    if (isTyped) return await WebAssembly.compileStreaming(response);
    return await WebAssembly.compile(await response.arrayBuffer());
  } catch (cause) {
    throw new ClientError(
      'WASM',
      `SQLite's module could not be loaded from ${address}: serve it there, or say where it is (wasmUrl); a content security policy needs 'wasm-unsafe-eval'`,
      { cause },
    );
  }
}
