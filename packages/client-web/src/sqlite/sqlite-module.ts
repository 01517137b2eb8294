import { hostImports, MAX_MEMORY_PAGES } from './wasm-imports.ts';
import { wasmCallback } from './wasm-callback.ts';

/** An address in the module's memory; 0 for none. */
export type Pointer = number;

/** The functions of SQLite's C interface that are used here. */
export interface SqliteExports {
  readonly __wasm_call_ctors: () => void;
  readonly __indirect_function_table: WebAssembly.Table;
  readonly sqlite3_initialize: () => number;
  readonly sqlite3_malloc: (bytes: number) => Pointer;
  readonly sqlite3_free: (pointer: Pointer) => void;
  readonly sqlite3_vfs_register: (vfs: Pointer, makeDefault: number) => number;
  readonly sqlite3_open_v2: (
    name: Pointer,
    out: Pointer,
    flags: number,
    vfsName: Pointer,
  ) => number;
  readonly sqlite3_close_v2: (db: Pointer) => number;
  readonly sqlite3_extended_result_codes: (db: Pointer, on: number) => number;
  readonly sqlite3_extended_errcode: (db: Pointer) => number;
  readonly sqlite3_errmsg: (db: Pointer) => Pointer;
  readonly sqlite3_get_autocommit: (db: Pointer) => number;
  readonly sqlite3_exec: (
    db: Pointer,
    sql: Pointer,
    callback: Pointer,
    data: Pointer,
    error: Pointer,
  ) => number;
  readonly sqlite3_prepare_v3: (
    db: Pointer,
    sql: Pointer,
    bytes: number,
    flags: number,
    statement: Pointer,
    tail: Pointer,
  ) => number;
  readonly sqlite3_finalize: (statement: Pointer) => number;
  readonly sqlite3_step: (statement: Pointer) => number;
  readonly sqlite3_reset: (statement: Pointer) => number;
  readonly sqlite3_clear_bindings: (statement: Pointer) => number;
  readonly sqlite3_stmt_readonly: (statement: Pointer) => number;
  readonly sqlite3_bind_parameter_count: (statement: Pointer) => number;
  readonly sqlite3_bind_null: (statement: Pointer, at: number) => number;
  readonly sqlite3_bind_double: (statement: Pointer, at: number, value: number) => number;
  readonly sqlite3_bind_int: (statement: Pointer, at: number, value: number) => number;
  readonly sqlite3_bind_int64: (statement: Pointer, at: number, value: bigint) => number;
  readonly sqlite3_bind_text: BindBytes;
  readonly sqlite3_bind_blob: BindBytes;
  readonly sqlite3_column_count: (statement: Pointer) => number;
  readonly sqlite3_column_name: (statement: Pointer, at: number) => Pointer;
  readonly sqlite3_column_type: (statement: Pointer, at: number) => number;
  readonly sqlite3_column_double: (statement: Pointer, at: number) => number;
  readonly sqlite3_column_int64: (statement: Pointer, at: number) => bigint;
  readonly sqlite3_column_text: (statement: Pointer, at: number) => Pointer;
  readonly sqlite3_column_blob: (statement: Pointer, at: number) => Pointer;
  readonly sqlite3_column_bytes: (statement: Pointer, at: number) => number;
  readonly sqlite3_changes: (db: Pointer) => number;
  readonly sqlite3_total_changes: (db: Pointer) => number;
  readonly sqlite3_last_insert_rowid: (db: Pointer) => bigint;
  readonly sqlite3_create_function_v2: (
    db: Pointer,
    name: Pointer,
    parameters: number,
    flags: number,
    data: Pointer,
    call: Pointer,
    step: Pointer,
    final: Pointer,
    destroy: Pointer,
  ) => number;
  readonly sqlite3_value_type: (value: Pointer) => number;
  readonly sqlite3_value_double: (value: Pointer) => number;
  readonly sqlite3_value_int64: (value: Pointer) => bigint;
  readonly sqlite3_value_text: (value: Pointer) => Pointer;
  readonly sqlite3_value_blob: (value: Pointer) => Pointer;
  readonly sqlite3_value_bytes: (value: Pointer) => number;
  readonly sqlite3_result_null: (context: Pointer) => void;
  readonly sqlite3_result_double: (context: Pointer, value: number) => void;
  readonly sqlite3_result_int64: (context: Pointer, value: bigint) => void;
  readonly sqlite3_result_text: ResultBytes;
  readonly sqlite3_result_blob: ResultBytes;
  readonly sqlite3_result_error: (context: Pointer, message: Pointer, bytes: number) => void;
}

type BindBytes = (
  statement: Pointer,
  at: number,
  pointer: Pointer,
  bytes: number,
  destructor: number,
) => number;
type ResultBytes = (context: Pointer, pointer: Pointer, bytes: number, destructor: number) => void;

/** Tells SQLite to copy what it is given. */
export const TRANSIENT = -1;
const INITIAL_MEMORY_PAGES = 128;
const SCRATCH_BYTES = 65_536;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
/** Below this a loop over ASCII is quicker than the decoder's call. */
const SHORT_TEXT = 20;

/** SQLite's official WebAssembly module, without the JavaScript that comes with it. */
export class SqliteModule {
  readonly exports: SqliteExports;
  readonly #memory: WebAssembly.Memory;
  readonly #scratch: Pointer;
  #bytes: Uint8Array;
  #view: DataView;

  private constructor(exports: SqliteExports, memory: WebAssembly.Memory) {
    this.exports = exports;
    this.#memory = memory;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#view = new DataView(memory.buffer);
    exports.__wasm_call_ctors();
    this.#scratch = exports.sqlite3_malloc(SCRATCH_BYTES);
  }

  static async instantiate(module: WebAssembly.Module): Promise<SqliteModule> {
    const memory = new WebAssembly.Memory({
      initial: INITIAL_MEMORY_PAGES,
      maximum: MAX_MEMORY_PAGES,
    });
    const instance = await WebAssembly.instantiate(module, hostImports(module, memory));
    // The names are those of the module that package.json pins; a test calls them all.
    return new SqliteModule(instance.exports as unknown as SqliteExports, memory);
  }

  /** The memory as of now: it is another array after it grew, so hold it over no call of SQLite. */
  get bytes(): Uint8Array {
    if (this.#bytes.buffer !== this.#memory.buffer)
      this.#bytes = new Uint8Array(this.#memory.buffer);
    return this.#bytes;
  }

  /** See `bytes`. */
  get view(): DataView {
    if (this.#view.buffer !== this.#memory.buffer) this.#view = new DataView(this.#memory.buffer);
    return this.#view;
  }

  /** Memory that its caller frees, filled with zeros. */
  allocate(bytes: number): Pointer {
    const pointer = this.exports.sqlite3_malloc(bytes);
    if (pointer === 0) throw new RangeError(`SQLite has no ${bytes} bytes of memory left`);
    this.bytes.fill(0, pointer, pointer + bytes);
    return pointer;
  }

  /** Makes `body` callable from SQLite; see `wasmCallback`. */
  callback(signature: string, body: (...values: never[]) => number | bigint | void): number {
    const { __indirect_function_table: table } = this.exports;
    const index = table.grow(1);
    table.set(index, wasmCallback(signature, body));
    return index;
  }

  /** Text that ends with a zero; its caller frees it. */
  ownText(text: string): Pointer {
    const bytes = encoder.encode(text);
    const pointer = this.allocate(bytes.length + 1);
    this.bytes.set(bytes, pointer);
    return pointer;
  }

  /** Gives `body` the text as UTF-8 with a zero behind it; the address holds for the call only. */
  withText<T>(text: string, body: (pointer: Pointer, bytes: number) => T): T {
    return this.#withSpace(text.length * 3 + 1, (pointer, size) => {
      const { written } = encoder.encodeInto(text, this.bytes.subarray(pointer, pointer + size));
      this.bytes[pointer + written] = 0;
      return body(pointer, written);
    });
  }

  /** The same for bytes. */
  withBytes<T>(bytes: Uint8Array, body: (pointer: Pointer) => T): T {
    return this.#withSpace(bytes.length + 1, (pointer) => {
      this.bytes.set(bytes, pointer);
      return body(pointer);
    });
  }

  text(pointer: Pointer, length: number): string {
    const { bytes } = this;
    if (length <= SHORT_TEXT) {
      let text = '';
      for (let at = pointer; at < pointer + length; at++) {
        const byte = bytes[at] ?? 0;
        if (byte > 0x7f) return decoder.decode(bytes.subarray(pointer, pointer + length));
        text += String.fromCharCode(byte);
      }
      return text;
    }
    return decoder.decode(bytes.subarray(pointer, pointer + length));
  }

  /** Text up to its zero. */
  zeroTerminated(pointer: Pointer): string {
    return this.text(pointer, this.bytes.indexOf(0, pointer) - pointer);
  }

  /** What is made small is put where the next small thing goes: whoever is called copies it first. */
  #withSpace<T>(bytes: number, body: (pointer: Pointer, size: number) => T): T {
    if (bytes <= SCRATCH_BYTES) return body(this.#scratch, SCRATCH_BYTES);
    const pointer = this.exports.sqlite3_malloc(bytes);
    if (pointer === 0) throw new RangeError(`SQLite has no ${bytes} bytes of memory left`);
    try {
      return body(pointer, bytes);
    } finally {
      this.exports.sqlite3_free(pointer);
    }
  }
}
