import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JoinedCalls, NoCallsLeft } from "./joined-calls.ts";

const users = [0, 1, 2, 3, 4];
const pause = () => new Promise((resolve) => setTimeout(resolve, 1));

describe("JoinedCalls", () => {
  it("makes as many calls as one user makes, and gives each user their answer", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(4), { minLength: 1, maxLength: 8 }), async (callsOf) => {
        const joined = new JoinedCalls(100);
        const sizes: number[] = [];
        const double = joined.method(async (all: number[]) => {
          await pause();
          sizes.push(all.length);
          return all.map((n) => n * 2);
        });
        const answers = await joined.run([...callsOf.keys()], async (user) => {
          const found: number[] = [];
          for (let i = 0; i < callsOf[user]; i++) {
            // Not all users are as fast.
            if ((user + i) % 3 === 0) await pause();
            found.push(await double(user, user * 10 + i));
          }
          return found;
        });
        expect(sizes.length).toBe(Math.max(...callsOf));
        expect(answers).toEqual(
          callsOf.map((n, user) => Array.from({ length: n }, (_, i) => 2 * (user * 10 + i))),
        );
      }),
      { numRuns: 30 },
    );
  });

  it("makes calls of several methods in one round", async () => {
    const joined = new JoinedCalls(2);
    const add = joined.method(async (all: number[]) => all.map((n) => n + 1));
    const name = joined.method(async (all: number[]) => all.map(String));
    const answers = await joined.run(users, (user) => Promise.all([add(user, user), name(user, user)]));
    expect(answers).toEqual(users.map((user) => [user + 1, `${user}`]));
    expect(joined.left).toBe(0);
  });

  it("makes a call again that had no room", async () => {
    const joined = new JoinedCalls(3);
    const few = joined.method(async (all: number[]) => all.map((n, i) => (i < 2 ? n : undefined)));
    expect(await joined.run(users, (user) => few(user, user))).toEqual(users);
  });

  it("rejects all calls of a failed one, and each beyond the limit", async () => {
    const joined = new JoinedCalls(1);
    const fails = joined.method(async (): Promise<string[]> => {
      throw new Error("down");
    });
    const errors = await joined.run(users, async (user) => [
      await fails(user, null).catch(String),
      await fails(user, null).catch((error) => error instanceof NoCallsLeft),
    ]);
    expect(errors).toEqual(users.map(() => ["Error: down", true]));
  });

  it("goes on when a user's work fails", async () => {
    const joined = new JoinedCalls(9);
    const same = joined.method(async (all: number[]) => all);
    const answers = await joined.run(users, async (user) => {
      if (user === 2) return "none";
      return same(user, user);
    });
    expect(answers).toEqual([0, 1, "none", 3, 4]);
  });
});
