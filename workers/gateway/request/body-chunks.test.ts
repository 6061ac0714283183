import { HTTPException } from "hono/http-exception";
import { describe, expect, it } from "vitest";
import { RefusalError } from "../../../shared/contracts/result.ts";
import { bodyChunks } from "./body-chunks.ts";

const pace = { graceMs: 60, bytesPerSecond: 1_000_000 };
const rest = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Chunks of the given sizes, each after a rest; null is an end that never comes. */
function sender(sizes: readonly (number | null)[], restMs: number) {
  let at = 0;
  const seen = { cancelled: false };
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await rest(restMs);
      const size = sizes[at++];
      if (size === null) await new Promise(() => undefined);
      else if (size === undefined) controller.close();
      else controller.enqueue(new Uint8Array(size));
    },
    cancel() {
      seen.cancelled = true;
    },
  });
  return { stream, seen };
}

async function sizesOf(stream: ReadableStream<Uint8Array>, within = pace, handleMs = 0): Promise<number[]> {
  const sizes: number[] = [];
  for await (const chunk of bodyChunks(stream, within)) {
    sizes.push(chunk.byteLength);
    await rest(handleMs);
  }
  return sizes;
}

describe("arriving", () => {
  it("gives the chunks of a body that keeps its pace", async () => {
    expect(await sizesOf(sender([3, 1, 4], 0).stream)).toEqual([3, 1, 4]);
    expect(await sizesOf(sender([], 0).stream)).toEqual([]);
  });

  it("ends a body that stalls, and one that drips for ever", async () => {
    for (const [sizes, restMs] of [
      [[5, null], 0],
      [Array(1000).fill(1), 10],
    ] as const) {
      const { stream, seen } = sender(sizes, restMs);
      const started = Date.now();
      const failure = await sizesOf(stream).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(HTTPException);
      expect(failure).toMatchObject({ status: 408 });
      expect(Date.now() - started).toBeLessThan(1_000);
      expect(seen.cancelled).toBe(true);
    }
  });

  it("gives a large body the time of its bytes, and does not count the time of who takes it", async () => {
    const slowly = { graceMs: 60, bytesPerSecond: 1_000 };
    expect(await sizesOf(sender([50, 50, 50, 50], 25).stream, slowly)).toHaveLength(4);
    expect(await sizesOf(sender([1, 1, 1], 0).stream, pace, 50)).toHaveLength(3);
  });

  it("refuses a body that breaks off", async () => {
    const broken = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.error(new Error("connection lost"));
      },
    });
    const failure = await sizesOf(broken).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RefusalError);
    expect(failure).toMatchObject({ refusal: { code: "invalid_input" } });
  });

  it("leaves unread what its reader does not want", async () => {
    const { stream, seen } = sender(Array(1000).fill(1), 0);
    for await (const _ of bodyChunks(stream, pace)) break;
    expect(seen.cancelled).toBe(true);
  });
});
