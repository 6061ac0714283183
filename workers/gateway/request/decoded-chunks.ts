import { Inflate } from "pako";
import { throwRefusal } from "../errors/throw-refusal.ts";
import { bodyChunks, type MinBodyRate } from "./body-chunks.ts";

/**
 * Bytes that are passed to the decompression at a time. Gzip makes at most about 1,030 bytes of one, so that a body made to
 * exhaust memory expands to at most 4 MiB before the reader sees it and stops.
 */
const compressedStep = 4096;
/** Makes pako accept gzip alone: a window of 2^15 bytes, plus 16. */
const gzipWindowBits = 31;

/** Returns a decompression of one or more gzip members that adds what it decompresses to `output`. */
function startInflate(output: Uint8Array[]): Inflate {
  const inflate = new Inflate({ windowBits: gzipWindowBits });
  inflate.onData = (part) => void output.push(part);
  inflate.onEnd = () => undefined;
  return inflate;
}

/**
 * Yields decompressed bytes. A body may have several gzip members (RFC 1952, section 2.2), as concatenated files have, and
 * zeros at its end. `DecompressionStream` refuses both.
 */
async function* gunzip(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const output: Uint8Array[] = [];
  let inflate = startInflate(output);
  const refuse = () =>
    throwRefusal("invalid_input", "The body is not gzip or is damaged, although content-encoding says gzip.");
  for await (const chunk of chunks)
    for (let at = 0; at < chunk.byteLength; at += compressedStep) {
      const step = chunk.subarray(at, at + compressedStep);
      if (inflate.ended) {
        if (step[0] === 0) continue;
        inflate = startInflate(output);
      }
      inflate.push(step);
      yield* output.splice(0);
      if (inflate.err !== 0) refuse();
    }
  if (!inflate.ended) refuse();
}

/**
 * Yields the chunks of a body as they arrive, decompressed if its content encoding is gzip. The reader bounds how many bytes
 * it takes, so that no more are decompressed. Refuses other content encodings with `unsupported_media_type`, and a damaged
 * body with `invalid_input`. `minRate` bounds how slowly the compressed bytes may arrive.
 */
export function decodedChunks(
  { headers, body }: { headers: Headers; body: ReadableStream<Uint8Array> },
  minRate: MinBodyRate,
): AsyncGenerator<Uint8Array> {
  const encoding = headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  const chunks = bodyChunks(body, minRate);
  if (encoding === "identity" || encoding === "") return chunks;
  if (encoding === "gzip" || encoding === "x-gzip") return gunzip(chunks);
  return throwRefusal(
    "unsupported_media_type",
    `The content encoding must be gzip or absent; got ${JSON.stringify(encoding)}.`,
  );
}
