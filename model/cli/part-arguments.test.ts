import { describe, expect, it } from "vitest";
import { parsePart, titleOf } from "./part-arguments.ts";

describe("parsePart", () => {
  it("takes a part and a world, and names the choices otherwise", () => {
    expect(parsePart({ on: "valid", world: "order" })).toEqual({ on: "valid", world: "order" });
    expect(() => parsePart({ on: "train", world: "order" })).toThrow("--on must be valid or test");
    expect(() => parsePart({ on: "test", world: "toString" })).toThrow("--world must be one of given, order");
  });

  it("titles a report with what differs from the test part as given", () => {
    expect(titleOf("d", { on: "test", world: "given" })).toBe("d");
    expect(titleOf("d", { on: "valid", world: "order" })).toBe("d, valid, world order");
  });
});
