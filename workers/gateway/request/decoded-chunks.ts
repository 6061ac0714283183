import { throwRefusal } from "../errors/throw-refusal.ts";
import { bodyChunks, type MinBodyRate } from "./body-chunks.ts";

/**
 * Bytes that are passed to the decompression at a time. Gzip makes at most about 1,030 bytes of one, so that a body made to
 * exhaust memory expands to at most 4 MiB before the reader sees it and stops.
 */
const compressedStep = 4096;

async function* gunzip(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { readable, writable } = new DecompressionStream("gzip");
  const writer = writable.getWriter();
  const reader = readable.getReader();
  let sourceError: unknown;
  const feed = async (): Promise<void> => {
    try {
      for await (const chunk of chunks)
        for (let at = 0; at < chunk.byteLength; at += compressedStep)
          await writer.write(new Uint8Array(chunk.subarray(at, at + compressedStep)));
    } catch (error) {
      sourceError = error;
      throw error;
    }
    await writer.close();
  };
  const fed = feed();
  // A failure of the writer is a failure of the reader too, which the loop below reports.
  fed.catch((error) => writer.abort(error).catch(() => undefined));
  try {
    for (;;) {
      const next = await reader.read();
      if (next.done) break;
      yield next.value;
    }
    await fed;
  } catch (error) {
    // Refusals of the body itself, such as one that arrives too slowly, are passed on.
    if (sourceError instanceof Error && !(sourceError instanceof TypeError)) throw sourceError;
    if (error instanceof Error && !(error instanceof TypeError)) throw error;
    throwRefusal("invalid_input", "The body is not gzip or is damaged, although content-encoding says gzip.");
  } finally {
    // Not awaited: a decompression that stopped must not delay the response.
    reader.cancel().catch(() => undefined);
    writer.abort().catch(() => undefined);
  }
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
