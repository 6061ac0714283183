/**
 * A small assembler for WebAssembly modules with one exported function (WebAssembly Core Specification 2.0, chapter 5,
 * "Binary Format"). Code is an array of bytes; each function below returns the bytes of one instruction or structure.
 */
export type Code = number[];

/** Returns an unsigned whole number in LEB128. */
export function unsigned(value: number): Code {
  const bytes: Code = [];
  let rest = value;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

/** Returns a signed 32-bit whole number in LEB128. */
export function signed(value: number): Code {
  const bytes: Code = [];
  let rest = value;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    // The last byte's second-highest bit is the sign.
    if (rest === (low & 0x40 ? -1 : 0)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

/** Value types of parameters and local variables. */
export const valueType = { i32: 0x7f, v128: 0x7b } as const;

/** An address on the stack is followed by alignment (none promised) and an offset in bytes. */
const memoryArgument = (offset: number): Code => [0, ...unsigned(offset)];
const vector = (opcode: number): Code => [0xfd, ...unsigned(opcode)];

export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number): Code => [0x21, ...unsigned(local)];
export const constant = (value: number): Code => [0x41, ...signed(value)];
export const add: Code = [0x6a];
export const subtract: Code = [0x6b];
export const multiply: Code = [0x6c];
export const lessThan: Code = [0x48];
export const atLeast: Code = [0x4e];
/** Vectors of four 32-bit floating-point numbers. */
export const f32x4 = {
  /** Loads four numbers, two and two zeros, or one and three zeros. */
  load: {
    4: (offset = 0): Code => [...vector(0x00), ...memoryArgument(offset)],
    2: (offset = 0): Code => [...vector(0x5d), ...memoryArgument(offset)],
    1: (offset = 0): Code => [...vector(0x5c), ...memoryArgument(offset)],
  },
  /** Stores the first four, two or one numbers. */
  store: {
    4: (offset = 0): Code => [...vector(0x0b), ...memoryArgument(offset)],
    2: (offset = 0): Code => [...vector(0x5b), ...memoryArgument(offset), 0],
    1: (offset = 0): Code => [...vector(0x5a), ...memoryArgument(offset), 0],
  },
  /** Loads one number into all four. */
  loadSplat: [...vector(0x09), ...memoryArgument(0)] as Code,
  add: vector(0xe4),
  multiply: vector(0xe6),
};

/** Returns code that sets a local variable to the value that `value` leaves on the stack. */
export const assign = (local: number, ...value: Code[]): Code => [...value.flat(), ...set(local)];
/** Returns code that adds the value of `value` to a local variable. */
export const increase = (local: number, ...value: Code[]): Code =>
  assign(local, get(local), value.flat(), add);

/** Returns code that runs `body` if `condition` leaves a number other than 0. */
export const when = (condition: Code, ...body: Code[]): Code => [
  ...condition,
  0x04,
  0x40,
  ...body.flat(),
  0x0b,
];
/** Returns code that repeats `body` as long as `condition`, checked after each time, leaves a number other than 0. */
export const repeatWhile = (condition: Code, ...body: Code[]): Code => [
  0x03,
  0x40,
  ...body.flat(),
  ...condition,
  0x0d,
  0,
  0x0b,
];
/** Returns code that runs `body` as long as `condition`, checked before each time, leaves a number other than 0. */
export const loopWhile = (condition: Code, ...body: Code[]): Code =>
  when(condition, repeatWhile(condition, ...body));

const list = (items: Code[]): Code => [...unsigned(items.length), ...items.flat()];
const sized = (bytes: Code): Code => [...unsigned(bytes.length), ...bytes];
const text = (value: string): Code => sized([...new TextEncoder().encode(value)]);
const section = (id: number, content: Code): Code => [id, ...sized(content)];

/**
 * Returns a module that imports the memory `env.memory` and exports one function. The function has `parameters`
 * parameters of type i32; its local variables, `integers` of type i32 and `vectors` of type v128, follow them.
 */
export function moduleOf(
  name: string,
  { parameters, integers, vectors }: { parameters: number; integers: number; vectors: number },
  body: Code,
): Uint8Array<ArrayBuffer> {
  const types = [[0x60, ...list(Array.from({ length: parameters }, () => [valueType.i32])), 0]];
  const locals = [
    [...unsigned(integers), valueType.i32],
    [...unsigned(vectors), valueType.v128],
  ];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, list(types)),
    ...section(2, list([[...text("env"), ...text("memory"), 0x02, 0x00, ...unsigned(1)]])),
    ...section(3, list([[0]])),
    ...section(7, list([[...text(name), 0x00, 0]])),
    ...section(10, list([sized([...list(locals), ...body, 0x0b])])),
  ]);
}
