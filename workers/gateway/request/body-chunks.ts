import { HTTPException } from "hono/http-exception";
import { timedOut, withTimeout } from "../../../shared/async/with-timeout.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";

/**
 * The lowest rate at which a body may arrive: within `graceMs`, plus the time that its bytes take at `bytesPerSecond`.
 */
export interface MinBodyRate {
  graceMs: number;
  bytesPerSecond: number;
}

/** Gives a small body 10 s, and the largest body (32 MiB) about four minutes more. */
export const defaultMinBodyRate: MinBodyRate = { graceMs: 10_000, bytesPerSecond: 128 * 1024 };

/**
 * Yields the chunks of a body as they arrive. Throws a 408 for a body that arrives too slowly; only time spent waiting
 * for the client counts. Refuses `invalid_input` where the body breaks off. A caller that stops early leaves the rest
 * unread.
 */
export async function* bodyChunks(
  body: ReadableStream<Uint8Array>,
  { graceMs, bytesPerSecond }: MinBodyRate,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  let waitedMs = 0;
  let bytes = 0;
  try {
    for (;;) {
      const readStarted = Date.now();
      const allowedMs = graceMs + (bytes / bytesPerSecond) * 1000;
      const next = await withTimeout(
        reader
          .read()
          .catch(() =>
            throwRefusal("invalid_input", "The connection closed before the body ended; send it again."),
          ),
        allowedMs - waitedMs,
      );
      if (next === timedOut) throw new HTTPException(408);
      if (next.done) return;
      waitedMs += Date.now() - readStarted;
      bytes += next.value.byteLength;
      yield next.value;
    }
  } finally {
    // The cancellation is not awaited: a client that ignores it must not delay the response.
    reader.cancel().catch(() => undefined);
  }
}
