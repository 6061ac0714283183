import { emptyTotals, type Totals } from "../../../shared/contracts/totals.ts";
import type { Caller } from "../keys/caller.ts";

/** Returns the totals that a caller may see: those of few users only if the caller may see each user's own. */
export const shownTotals = (totals: Totals, { kind }: Pick<Caller, "kind">, minUsers: number): Totals =>
  kind === "admin" || kind === "server" || totals.people >= minUsers ? totals : emptyTotals();
