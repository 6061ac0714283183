import { describe, expect, it } from "vitest";
import { problem } from "../../../shared/contracts/problem.ts";
import { refusalCode } from "../../../shared/contracts/result.ts";
import { httpStatusOf, toProblem } from "./problem.ts";

describe("toProblem", () => {
  it("maps every refusal code to a valid problem with an error status", () => {
    for (const code of refusalCode.options) {
      const wire = toProblem({ code, detail: "why" }, "r1");
      expect(problem.parse(wire)).toEqual(wire);
      expect(wire.status).toBe(httpStatusOf(code));
      expect(wire.status).toBeGreaterThanOrEqual(400);
    }
  });

  it("hides the detail of an internal error", () => {
    expect(toProblem({ code: "internal", detail: "secret" }, "r1").detail).not.toContain("secret");
  });
});
