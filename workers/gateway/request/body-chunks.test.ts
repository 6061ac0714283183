import { HTTPException } from "hono/http-exception";
import { describe, expect, it } from "vitest";
import { RefusalError } from "../../../shared/contracts/result.ts";
import { bodyChunks } from "./body-chunks.ts";

const minRate = { graceMs: 60, bytesPerSecond: 1_000_000 };
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A stream of chunks of the given sizes, each after a pause. A `null` size stalls the stream forever. */
function sender(sizes: readonly (number | null)[], pauseMs: number) {
  let at = 0;
  const seen = { canceled: false };
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await pause(pauseMs);
      const size = sizes[at++];
      if (size === null) await new Promise(() => undefined);
      else if (size === undefined) controller.close();
      else controller.enqueue(new Uint8Array(size));
    },
    cancel() {
      seen.canceled = true;
    },
  });
  return { stream, seen };
}

async function sizesOf(
  stream: ReadableStream<Uint8Array>,
  within = minRate,
  handleMs = 0,
): Promise<number[]> {
  const sizes: number[] = [];
  for await (const chunk of bodyChunks(stream, within)) {
    sizes.push(chunk.byteLength);
    await pause(handleMs);
  }
  return sizes;
}

describe("bodyChunks", () => {
  it("yields the chunks of a body that arrives fast enough", async () => {
    expect(await sizesOf(sender([3, 1, 4], 0).stream)).toEqual([3, 1, 4]);
    expect(await sizesOf(sender([], 0).stream)).toEqual([]);
  });

  it("throws a 408 for a body that stalls, and for one that arrives byte by byte", async () => {
    for (const [sizes, pauseMs] of [
      [[5, null], 0],
      [Array(1000).fill(1), 10],
    ] as const) {
      const { stream, seen } = sender(sizes, pauseMs);
      const started = Date.now();
      const failure = await sizesOf(stream).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(HTTPException);
      expect(failure).toMatchObject({ status: 408 });
      expect(Date.now() - started).toBeLessThan(1_000);
      expect(seen.canceled).toBe(true);
    }
  });

  it("gives a larger body more time, and does not count the time that its reader takes", async () => {
    const slowly = { graceMs: 60, bytesPerSecond: 1_000 };
    expect(await sizesOf(sender([50, 50, 50, 50], 25).stream, slowly)).toHaveLength(4);
    expect(await sizesOf(sender([1, 1, 1], 0).stream, minRate, 50)).toHaveLength(3);
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

  it("cancels the body where its reader stops early", async () => {
    const { stream, seen } = sender(Array(1000).fill(1), 0);
    for await (const _ of bodyChunks(stream, minRate)) break;
    expect(seen.canceled).toBe(true);
  });
});
