const pageBytes = 64 * 1024;
const bytesPerMegabyte = 1024 * 1024;
/** Addresses that V8 reserves for a memory of WebAssembly at least, in bytes: what 32 bits can address. */
const reservedBytes = 2 ** 32;

/**
 * Returns the memory of WebAssembly of a process in MB: what all instances have, not what they use. `maps` is the text of
 * `/proc/PID/maps`. V8 does not count this memory in the heap of an isolate. It reserves all addresses that a memory may
 * grow to, and makes those readable that the memory has: a readable part of whole pages, with a reserved one behind it.
 */
export function webAssemblyMegabytes(maps: string): number {
  const parts = maps.split("\n").flatMap((line) => {
    const match = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(line);
    return match
      ? [{ from: Number.parseInt(match[1], 16), to: Number.parseInt(match[2], 16), rights: match[3] }]
      : [];
  });
  let bytes = 0;
  for (const [i, { from, to, rights }] of parts.entries()) {
    const next = parts[i + 1];
    if (next === undefined || next.from !== to || !rights.startsWith("rw") || !next.rights.startsWith("---"))
      continue;
    if ((to - from) % pageBytes === 0 && next.to - from >= reservedBytes) bytes += to - from;
  }
  return bytes / bytesPerMegabyte;
}
