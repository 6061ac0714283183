import { describe, expect, it } from "vitest";
import { errorText } from "./error-text.ts";

const thrownBy = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return error;
  }
};

describe("errorText", () => {
  it("leaves out the values that an error quotes", () => {
    expect(errorText(new TypeError("no such table: users"))).toBe("TypeError: no such table: users");
    expect(errorText(new Error("Failed query: select ? from users\nparams: ann,59.91"))).toBe(
      "Error: Failed query: select ? from users",
    );
    expect(errorText(thrownBy(() => JSON.parse("ann lives here")))).toBe("SyntaxError");
    expect(errorText("ann")).toBe("string");
  });
});
