/** Bits that a filter has for each user, which makes 2 to 3 of 100 other users pass it. */
const bitsPerUser = 8;
/** Bits that a user sets in a filter. */
const bitsSet = 4;
/**
 * Bytes of a filter. R2 stores at most 8,192 bytes of metadata with an object, so that filters of more than 4,096 users let
 * more others pass.
 */
const minFilterBytes = 4;
const maxFilterBytes = 4096;
/** Bits of a filter in the key of a batch. */
const batchFilterBits = 256;

/** Returns a number whose 32 bits all depend on all bits of `value`. */
function mix(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** Returns 32 evenly distributed bits of a user's name in the log, which is a hash in hexadecimal digits. */
const nameBits = (name: string): number => mix(Number.parseInt(name.slice(0, 8), 16));

/** Returns which of 2^`bits` equal parts of all users a user belongs to, from 0. */
export const shardOf = (name: string, bits: number): number =>
  bits === 0 ? 0 : nameBits(name) >>> (32 - bits);

/** Returns the bits of a filter of `size` bits that a user sets. */
function positionsOf(name: string, size: number): number[] {
  const start = mix(nameBits(name) ^ 0x5bd1e995);
  const step = mix(start ^ 0x27d4eb2f) | 1;
  return Array.from({ length: bitsSet }, (_, i) => ((start + Math.imul(i, step)) >>> 0) % size);
}

/** Returns a filter (a Bloom filter) of users by their names in the log, as base64. */
export function filterOf(names: ReadonlySet<string>): string {
  const wanted = Math.ceil((names.size * bitsPerUser) / 8);
  const bytes = new Uint8Array(Math.min(maxFilterBytes, Math.max(minFilterBytes, wanted)));
  for (const name of names)
    for (const position of positionsOf(name, bytes.length * 8)) bytes[position >> 3] |= 1 << (position & 7);
  return btoa(String.fromCharCode(...bytes));
}

/** Returns whether a user may be among those of a filter; true without a filter. */
export function mayContain(filter: string | undefined, name: string): boolean {
  if (filter === undefined) return true;
  const bytes = Uint8Array.from(atob(filter), (character) => character.charCodeAt(0));
  return positionsOf(name, bytes.length * 8).every((at) => (bytes[at >> 3] & (1 << (at & 7))) !== 0);
}

/** Returns the filter in the key of a batch: 64 hexadecimal digits, one bit for each 256th of all users. */
export function batchFilterOf(names: Iterable<string>): string {
  const digits = new Array<number>(batchFilterBits / 4).fill(0);
  for (const name of names) {
    const shard = shardOf(name, 8);
    digits[shard >> 2] |= 1 << (shard & 3);
  }
  return digits.map((digit) => digit.toString(16)).join("");
}

/** Returns whether a user may be among those of the filter in the key of a batch. */
export function batchMayContain(filter: string, name: string): boolean {
  const shard = shardOf(name, 8);
  return (Number.parseInt(filter[shard >> 2], 16) & (1 << (shard & 3))) !== 0;
}
