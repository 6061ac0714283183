import { describe, expect, it } from "vitest";
import { whyNotJson } from "./not-json.ts";

describe("whyNotJson", () => {
  it("E3: says what is wrong, with the first characters alone", () => {
    const located = '{"location":{"lat":59.9139123,"lon":10.7522,}}';
    expect(whyNotJson(located)).toMatch(
      /^is not JSON; it begins with "\{\\"location\\":": Expected .* position \d+/,
    );
    expect(whyNotJson(located)).not.toContain("59.9");
    expect(whyNotJson('{"a":NaN}')).toContain("Unexpected token 'N'");
    expect(whyNotJson('{"secret-of-mine":NaN}')).not.toContain("mine");
    expect(whyNotJson('{"a":1}\r{"a":2}')).toContain("after JSON at position 8");
    for (const text of ["", " ", "\r\n"]) expect(whyNotJson(text)).toBe("is empty");
    for (const text of ["{}", "null", ' "x" ']) expect(whyNotJson(text)).toBeNull();
  });
});
