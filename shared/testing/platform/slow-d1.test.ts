import { expect, it } from "vitest";
import { slowD1 } from "./slow-d1.ts";

/** Returns a database that answers each statement with its text. */
function echoDatabase(): D1Database {
  const statement = (sql: string) => ({
    sql,
    bind: (...values: unknown[]) => statement(`${sql} ${values.join(" ")}`),
    first: async () => sql,
  });
  return {
    prepare: statement,
    batch: async (statements: { sql: string }[]) => statements.map(({ sql }) => sql),
  } as unknown as D1Database;
}

it("slowD1 counts calls one after another, and calls at the same time once", async () => {
  const {
    databases: [here, there],
    callsInTurn,
    restart,
  } = slowD1([echoDatabase(), echoDatabase()], 2);
  expect(callsInTurn()).toBe(0);
  expect(await here.prepare("a").bind(1).first()).toBe("a 1");
  expect(callsInTurn()).toBe(1);
  await Promise.all([here.prepare("b").first(), there.batch([there.prepare("c").bind(2)])]);
  expect(callsInTurn()).toBe(2);
  restart();
  expect(await there.batch([there.prepare("c"), there.prepare("d").bind(2)])).toEqual(["c", "d 2"]);
  expect(callsInTurn()).toBe(1);
});
