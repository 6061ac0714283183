import { diversify } from "./diversify.ts";
import type { Rule } from "./rule.ts";

/** Prefers products unlike those above them: see {@link diversify}. */
export const diversityRule: Rule = {
  name: "diversity",
  prepare({ diversity = 0 }) {
    if (diversity <= 0) return null;
    return {
      needsOrder: true,
      select: (pool, limit, add, before) => diversify(pool, limit, diversity, add, before),
    };
  },
};
