/** Grows by a fifth, so that a growing database does not ask for every page of memory anew. */
const GROWTH = 1.2;
const PAGE_BYTES = 65_536;
export const MAX_MEMORY_PAGES = 32_768;
/** `ENOSYS` of the C library that the module is built with. */
const NOT_SUPPORTED = 52;

type HostFunction = (...values: never[]) => number | bigint | void;

/**
 * What SQLite's module asks of its host: time and memory. Files come from a VFS of ours (../storage), so every call of the operating
 * system's file functions is refused.
 */
export function hostImports(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
): WebAssembly.Imports {
  const known = hostFunctions(memory);
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
  for (const { module: space, name, kind } of WebAssembly.Module.imports(module)) {
    const refusal = space === 'env' ? -NOT_SUPPORTED : NOT_SUPPORTED;
    imports[space] ??= {};
    imports[space][name] = kind === 'memory' ? memory : (known[name] ?? (() => refusal));
  }
  return imports;
}

function hostFunctions(memory: WebAssembly.Memory): Readonly<Record<string, HostFunction>> {
  const view = () => new DataView(memory.buffer);
  return {
    emscripten_date_now: () => Date.now(),
    emscripten_get_now: () => performance.now(),
    clock_time_get: (_clock: number, _precision: bigint, out: number) => {
      view().setBigUint64(out, BigInt(Math.round(Date.now() * 1e6)), true);
      return 0;
    },
    environ_sizes_get: (count: number, bytes: number) => {
      view().setUint32(count, 0, true);
      view().setUint32(bytes, 0, true);
      return 0;
    },
    environ_get: () => 0,
    emscripten_get_heap_max: () => MAX_MEMORY_PAGES * PAGE_BYTES,
    emscripten_resize_heap: (bytes: number) => Number(grow(memory, bytes >>> 0)),
    _tzset_js: (seconds: number, daylight: number, standard: number, summer: number) => {
      view().setInt32(seconds, new Date().getTimezoneOffset() * 60, true);
      view().setInt32(daylight, 0, true);
      view().setUint8(standard, 0);
      view().setUint8(summer, 0);
    },
    _localtime_js: (seconds: bigint, out: number) => writeLocalTime(view(), seconds, out),
  };
}

function grow(memory: WebAssembly.Memory, bytes: number): boolean {
  const have = memory.buffer.byteLength;
  const most = MAX_MEMORY_PAGES * PAGE_BYTES;
  if (bytes > most) return false;
  const pages = (size: number) => Math.ceil((Math.min(size, most) - have) / PAGE_BYTES);
  for (const wanted of [Math.max(bytes, have * GROWTH), bytes]) {
    try {
      memory.grow(pages(wanted));
      return true;
    } catch {
      // The browser has not that much; SQLite is told when it has not even what is needed.
    }
  }
  return false;
}

/** C's `struct tm`. */
function writeLocalTime(view: DataView, seconds: bigint, out: number): void {
  const date = new Date(Number(seconds) * 1000);
  const start = new Date(date.getFullYear(), 0, 1);
  const dayOfYear = Math.round((startOfDay(date) - startOfDay(start)) / 86_400_000);
  const fields = [
    date.getSeconds(),
    date.getMinutes(),
    date.getHours(),
    date.getDate(),
    date.getMonth(),
    date.getFullYear() - 1900,
    date.getDay(),
    dayOfYear,
    0,
    -date.getTimezoneOffset() * 60,
  ];
  for (const [at, value] of fields.entries()) view.setInt32(out + at * 4, value, true);
}

function startOfDay(date: Date): number {
  return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
}
