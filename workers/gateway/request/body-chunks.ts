import { HTTPException } from "hono/http-exception";
import { throwRefusal } from "../errors/throw-refusal.ts";

/** How fast a body must come: all of it in the grace, and the time that its bytes take at the slowest. */
export interface MinBodyRate {
  graceMs: number;
  bytesPerSecond: number;
}

/** 10 s for what a page sends; the largest model over a poor line takes 3 minutes more. */
export const defaultMinBodyRate: MinBodyRate = { graceMs: 10_000, bytesPerSecond: 128 * 1024 };

const timedOut = Symbol("slow");

/** What the promise gives, or that it took longer than `ms`. */
async function withTimeout<T>(promise: Promise<T>, ms: number): Promise<T | typeof timedOut> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<typeof timedOut>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, ms), timedOut);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The chunks of a body as they come. 408 for one that falls behind its pace, where only the time counts that was spent
 * waiting for its sender; `invalid_input` for one that breaks off. Whoever stops early leaves the rest unread.
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
        reader.read().catch(() => throwRefusal("invalid_input", "The body broke off before its end.")),
        allowedMs - waitedMs,
      );
      if (next === timedOut) throw new HTTPException(408);
      if (next.done) return;
      waitedMs += Date.now() - readStarted;
      bytes += next.value.byteLength;
      yield next.value;
    }
  } finally {
    // Nobody waits for a sender to take note.
    reader.cancel().catch(() => undefined);
  }
}
