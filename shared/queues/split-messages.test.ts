import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { UserRows } from "../contracts/queues.ts";
import { interactionsMessages, messageLimits, splitIntoMessages, utf8Bytes } from "./split-messages.ts";

describe("splitIntoMessages", () => {
  it("puts every row into one message, in order, within both limits, and an oversized row alone", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 150 })),
        fc.integer({ min: 1, max: 10 }),
        fc.integer({ min: 1, max: 120 }),
        (sizes, maxRows, maxBytes) => {
          const rows = sizes.map((bytes, index) => ({ bytes, index }));
          const messages = splitIntoMessages(rows, ({ bytes }) => bytes, { maxRows, maxBytes });
          expect(messages.flat()).toEqual(rows);
          for (const message of messages) {
            expect(message.length).toBeGreaterThan(0);
            expect(message.length).toBeLessThanOrEqual(maxRows);
            const bytes = message.reduce((sum, row) => sum + row.bytes, 0);
            if (message.length > 1) expect(bytes).toBeLessThanOrEqual(maxBytes);
          }
        },
      ),
    );
  });

  it("starts a new message only if the next row does not fit", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 50 })), (sizes) => {
        const limits = { maxRows: 4, maxBytes: 100 };
        const messages = splitIntoMessages(sizes, (bytes) => bytes, limits);
        for (const [i, message] of messages.slice(0, -1).entries()) {
          const bytes = message.reduce((sum, each) => sum + each, messages[i + 1][0]);
          expect(message.length === limits.maxRows || bytes > limits.maxBytes).toBe(true);
        }
      }),
    );
  });
});

describe("utf8Bytes", () => {
  it("counts bytes instead of characters", () => {
    expect(utf8Bytes("aø€😀")).toBe(1 + 2 + 3 + 4);
  });
});

/** Returns users with the given numbers of rows. */
const usersWith = (counts: number[], recommendationId = "r"): UserRows[] =>
  counts.map((count, i) => ({
    userId: `u${i}`,
    pseudonym: String(i).padStart(64, "0"),
    generation: 0,
    rows: Array.from({ length: count }, (_, seq) => ({
      kind: "correction",
      seq,
      correction: { recommendationId, productId: "p", outcome: "purchase", time: 1 },
    })),
  }));

describe("interactionsMessages", () => {
  it("contain all rows of all users in order, each message at most the maximum number of rows and users", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 120 }), { maxLength: 30 }), (counts) => {
        const messages = interactionsMessages("demo", usersWith(counts), messageLimits);
        for (const { users } of messages) {
          const count = users.reduce((sum, { rows }) => sum + rows.length, 0);
          expect(count).toBeGreaterThan(0);
          expect(count).toBeLessThanOrEqual(messageLimits.maxRows);
          expect(users.length).toBeLessThanOrEqual(8);
        }
        const seen = messages.flatMap((message) =>
          message.users.flatMap(({ userId, rows }) => rows.map(({ seq }) => `${userId} ${seq}`)),
        );
        expect(seen).toEqual(
          usersWith(counts).flatMap(({ userId, rows }) => rows.map(({ seq }) => `${userId} ${seq}`)),
        );
      }),
    );
  });

  it("limit the bytes of a message", () => {
    const limits = { maxRows: 50, maxBytes: 1000 };
    for (const { users } of interactionsMessages("demo", usersWith([20, 20], "ø".repeat(60)), limits)) {
      const rows = users.flatMap((user) => user.rows);
      expect(rows.reduce((sum, row) => sum + utf8Bytes(JSON.stringify(row)), 0)).toBeLessThanOrEqual(1000);
    }
  });
});
