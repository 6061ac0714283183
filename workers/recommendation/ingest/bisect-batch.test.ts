import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bisectBatch } from "./bisect-batch.ts";

describe("bisectBatch", () => {
  it("finishes every good item, wherever the bad items are", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 100 }),
        fc.array(fc.nat(99), { maxLength: 2 }),
        async (count, bad) => {
          const items = Array.from({ length: count }, (_, i) => i);
          const done = new Set<number>();
          const { done: reported, failed } = await bisectBatch(items, async (part) => {
            const poison = part.find((item) => bad.includes(item));
            if (poison !== undefined) throw new Error(`poison ${poison}`);
            for (const item of part) done.add(item);
          });
          const wrong = items.filter((item) => bad.includes(item));
          expect([...reported].sort((a, b) => a - b)).toEqual(items.filter((item) => !bad.includes(item)));
          expect(new Set(reported)).toEqual(done);
          expect(failed.map(({ item }) => item).sort((a, b) => a - b)).toEqual(wrong);
          for (const { item, cause } of failed) expect(cause).toContain(`poison ${item}`);
        },
      ),
    );
  });

  it("stops after 16 failures if every attempt fails", async () => {
    let tried = 0;
    const { done, failed } = await bisectBatch(
      Array.from({ length: 100 }, (_, i) => i),
      () => {
        tried++;
        return Promise.reject(new Error("an outage"));
      },
    );
    expect([done.length, failed.length]).toEqual([0, 100]);
    expect(tried).toBeLessThanOrEqual(16);
  });
});
