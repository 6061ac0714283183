import { encodeInputs, type RecordedInputs } from "../../../model/pipeline/recorded-inputs.ts";

/** Longest recorded inputs, in bytes after compression. A list of 500 candidates takes about 30 kB. */
const maxBytes = 512 * 1024;

/** Compresses or decompresses bytes. */
const through = async (
  bytes: ArrayBuffer | Uint8Array<ArrayBuffer>,
  transform: CompressionStream | DecompressionStream,
): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(transform)).arrayBuffer());

/** Returns what a list was computed from, compressed by gzip; undefined if that is too long to be stored. */
export async function compressInputs(inputs: RecordedInputs): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const bytes = await through(encodeInputs(inputs), new CompressionStream("gzip"));
  return bytes.byteLength <= maxBytes ? bytes : undefined;
}

/** Returns the bytes of {@link encodeInputs} that {@link compressInputs} compressed. */
export const decompressInputs = (
  bytes: ArrayBuffer | Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> => through(bytes, new DecompressionStream("gzip"));
