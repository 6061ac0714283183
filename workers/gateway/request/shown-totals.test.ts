import { expect, it } from "vitest";
import { emptyTotals } from "../../../shared/contracts/totals.ts";
import { shownTotals } from "./shown-totals.ts";

it("S5: shows the totals of few users to admin and server keys only", () => {
  const totals = (people: number) => ({ ...emptyTotals(), view: 9, people });
  for (const kind of ["admin", "server"] as const) expect(shownTotals(totals(1), { kind }, 5).view).toBe(9);
  for (const kind of ["user", "publishable"] as const) {
    expect(shownTotals(totals(4), { kind }, 5)).toEqual(emptyTotals());
    expect(shownTotals(totals(5), { kind }, 5).view).toBe(9);
  }
});
