/** `i`: a 32-bit integer or pointer, `j`: a 64-bit integer, `d`: a double. */
const TYPES: Readonly<Record<string, number>> = { i: 0x7f, j: 0x7e, d: 0x7c };

/**
 * Wraps a function so that it can stand in a table of functions of a WebAssembly module, which takes only functions of WebAssembly: a
 * module that imports it and exports it again. `signature` is the result, or `v` for none, and the parameters, e.g. `iij`.
 */
export function wasmCallback(
  signature: string,
  body: (...values: never[]) => number | bigint | void,
): CallableFunction {
  const [result = 'v', ...parameters] = signature;
  const type = [sized(parameters.map(typeOf)), sized(result === 'v' ? [] : [typeOf(result)])];
  const sections = [
    [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // magic and version
    [0x01, ...sized([0x01, 0x60, ...type.flat()])],
    [0x02, ...sized([0x01, 0x01, 0x65, 0x01, 0x66, 0x00, 0x00])], // imports "e" "f"
    [0x07, ...sized([0x01, 0x01, 0x66, 0x00, 0x00])], // exports "f"
  ];
  const module = new WebAssembly.Module(new Uint8Array(sections.flat()));
  const { exports } = new WebAssembly.Instance(module, { e: { f: body } });
  return exports['f'] as CallableFunction;
}

function sized(bytes: readonly number[]): readonly number[] {
  return [bytes.length, ...bytes];
}

function typeOf(letter: string): number {
  const type = TYPES[letter];
  if (type === undefined) throw new TypeError(`There is no type ${letter}`);
  return type;
}
