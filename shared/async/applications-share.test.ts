import { describe, expect, it } from "vitest";
import { allApplications } from "../contracts/applications-share.ts";
import { applicationsInShare, shareOf } from "./applications-share.ts";

const names = Array.from({ length: 1000 }, (_, i) => `shop-${i}`);

describe("applicationsInShare", () => {
  it("puts each application into one share", () => {
    const shares = Array.from({ length: 60 }, (_, index) =>
      applicationsInShare(names, { index, of: 60 }, 1000, 0),
    );
    expect(shares.flat().sort()).toEqual([...names].sort());
    expect(Math.max(...shares.map(({ length }) => length))).toBeLessThan(40);
    for (const [index, share] of shares.entries())
      for (const name of share) expect(shareOf(name, 60)).toBe(index);
  });

  it("returns at most so many, and all of them in turn", () => {
    const seen = new Set<string>();
    for (let turn = 0; turn < 7; turn++) {
      const some = applicationsInShare(names, allApplications, 150, turn);
      expect(some).toHaveLength(150);
      for (const name of some) seen.add(name);
    }
    expect(seen.size).toBe(1000);
    expect(applicationsInShare(["a", "b"], allApplications, 2, 5)).toEqual(["a", "b"]);
  });
});
