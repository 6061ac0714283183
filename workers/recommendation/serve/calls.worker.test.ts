import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { userSessionStub } from "../../../durable-objects/user-session/user-session-stub.ts";
import { countingServices } from "../testing/counting-services.ts";
import { leaf, osloPoint, recommendForAnn, sessionEnvironment } from "../testing/services.ts";

const session = () => userSessionStub(sessionEnvironment.USER_SESSION, "counted", "ann", null);

/** Returns the number of rows that the user object reads while `work` runs. */
async function rowsReadBy(work: () => Promise<void>): Promise<number> {
  const cursors: { readonly rowsRead: number }[] = [];
  await runInDurableObject(session(), (_object, { storage: { sql } }) => {
    const exec = sql.exec.bind(sql);
    Object.defineProperty(sql, "exec", {
      configurable: true,
      value: (...query: Parameters<typeof exec>) => {
        const cursor = exec(...query);
        cursors.push(cursor);
        return cursor;
      },
    });
  });
  await work();
  return cursors.reduce((sum, { rowsRead }) => sum + rowsRead, 0);
}

describe("recommendProducts for a user with a history", () => {
  it("makes four calls, or three with cached cards, and reads no history", async () => {
    const now = Date.now() / 1000;
    const events = Array.from({ length: 200 }, (_, i) => ({
      eventId: `e${i}`,
      type: "view" as const,
      productId: `p${i % 20}`,
      time: now - 1000 + i,
      recommendationId: null,
      location: osloPoint,
      facts: { cell: leaf, ...osloPoint, category: "books", priceMinor: 250, currency: "EUR" },
    }));
    expect((await session().ingest("counted", "ann", events, false)).ok).toBe(true);
    const recommend = async (): Promise<Record<string, number>> => {
      const { calls, env } = countingServices();
      const answer = await recommendForAnn(env, {}, "counted");
      expect(answer.ok && answer.value.items).toHaveLength(5);
      return calls;
    };
    expect(await recommend()).toEqual({
      "user.encodedProfileFor": 1,
      "location.gatherCandidates": 1,
      "product.getCards": 1,
      "user.recordImpressions": 1,
    });
    // The cards are cached in the version of the tile.
    let warm: Record<string, number> = {};
    const rows = await rowsReadBy(async () => {
      warm = await recommend();
    });
    expect(warm["product.getCards"]).toBeUndefined();
    expect(Object.values(warm).reduce((sum, each) => sum + each, 0)).toBe(3);
    // The user object holds the profile in memory and does not read its journal.
    expect(rows).toBeLessThanOrEqual(8);
  });
});
