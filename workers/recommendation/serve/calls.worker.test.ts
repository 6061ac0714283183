import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { userSession } from "../../../durable-objects/user-session.ts";
import { ask, environment, leaf, oslo, services } from "../testing/services.ts";

/** The services, and how often each was called. */
function counted() {
  const calls: Record<string, number> = {};
  const counting = <T extends object>(name: string, service: T): T =>
    new Proxy(service, {
      get: (target, method) => {
        const value = Reflect.get(target, method);
        if (typeof value !== "function") return value;
        return (...given: unknown[]) => {
          const call = `${name}.${String(method)}`;
          calls[call] = (calls[call] ?? 0) + 1;
          // Not by `apply`: a stub takes every name for one of the other side's.
          return (target as Record<PropertyKey, (...values: unknown[]) => unknown>)[method](...given);
        };
      },
    });
  return {
    calls,
    env: {
      LOCATION: counting("location", services.LOCATION),
      PRODUCT: counting("product", services.PRODUCT),
      USER_SESSION: new Proxy(environment.USER_SESSION, {
        get: (namespace, name) => {
          const value = Reflect.get(namespace, name);
          if (name === "get")
            return (...given: [DurableObjectId]) => counting("person", namespace.get(...given));
          return typeof value === "function" ? value.bind(namespace) : value;
        },
      }),
    },
  };
}

const session = () => userSession(environment.USER_SESSION, "counted", "ann", null);

/** Rows that the person's object reads while `work` runs. */
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

describe("a recommendation for somebody with a past", () => {
  it("makes four calls, three once its cards are in memory, and reads no history", async () => {
    const now = Date.now() / 1000;
    const events = Array.from({ length: 200 }, (_, i) => ({
      eventId: `e${i}`,
      type: "view" as const,
      productId: `p${i % 20}`,
      time: now - 1000 + i,
      recommendationId: null,
      at: oslo,
      facts: { cell: leaf, ...oslo, category: "books", price: 2.5 },
    }));
    expect((await session().ingest("counted", "ann", events, false)).ok).toBe(true);
    const recommend = async (): Promise<Record<string, number>> => {
      const { calls, env } = counted();
      const answer = await ask(env, {}, "counted");
      expect(answer.ok && answer.value.items).toHaveLength(5);
      return calls;
    };
    expect(await recommend()).toEqual({
      "person.state": 1,
      "location.gatherCandidates": 1,
      "product.cards": 1,
      "person.impression": 1,
    });
    // What it shows is in memory by now: as new as the tile says.
    let warm: Record<string, number> = {};
    const rows = await rowsReadBy(async () => {
      warm = await recommend();
    });
    expect(warm["product.cards"]).toBeUndefined();
    expect(Object.values(warm).reduce((sum, each) => sum + each, 0)).toBe(3);
    // The person is in the memory of their object: its tables are not asked how they became who they are.
    expect(rows).toBeLessThanOrEqual(8);
  });
});
