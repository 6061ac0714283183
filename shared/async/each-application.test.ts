import { afterEach, describe, expect, it, vi } from "vitest";
import { eachApplication } from "./each-application.ts";

afterEach(() => vi.restoreAllMocks());

describe("eachApplication", () => {
  it("logs a failure, and goes on with the other applications in their order", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const done: string[] = [];
    const failed = await eachApplication(["a", "b", "c"], "work failed", async (application) => {
      if (application === "b") throw new Error("no access");
      done.push(application);
    });
    expect([done, failed]).toEqual([["a", "c"], 1]);
    expect(log.mock.calls).toEqual([
      [{ event: "work failed", application: "b", error: expect.stringContaining("no access") }],
    ]);
  });
});
