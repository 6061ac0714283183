import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { UserRows } from "../../../shared/contracts/queues.ts";
import { messagesOf, rowsPerMessage } from "./messages.ts";

/** People with so many rows each. */
const users = (counts: number[]): UserRows[] =>
  counts.map((count, i) => ({
    userId: `u${i}`,
    object: String(i).padStart(64, "0"),
    generation: 0,
    rows: Array.from({ length: count }, (_, seq) => ({
      kind: "correction",
      seq,
      correction: { recommendationId: "r", productId: "p", outcome: "purchase", time: 1 },
    })),
  }));

describe("rows of people in messages", () => {
  it("are all there, in their order, and never more than one message takes", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 120 }), { maxLength: 30 }), (counts) => {
        const messages = messagesOf("demo", users(counts));
        for (const { users: part } of messages) {
          const rows = part.reduce((sum, { rows: some }) => sum + some.length, 0);
          expect(rows).toBeGreaterThan(0);
          expect(rows).toBeLessThanOrEqual(rowsPerMessage);
        }
        const seen = messages.flatMap((message) =>
          message.users.flatMap(({ userId, rows }) => rows.map(({ seq }) => `${userId} ${seq}`)),
        );
        expect(seen).toEqual(
          users(counts).flatMap(({ userId, rows }) => rows.map(({ seq }) => `${userId} ${seq}`)),
        );
      }),
    );
  });
});
