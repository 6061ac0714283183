import { boostsRule } from "./boosts.ts";
import { capsRule } from "./caps.ts";
import { categoryBoostRule } from "./category-boost.ts";
import { collapseRule } from "./collapse.ts";
import { diversityRule } from "./diversity.ts";
import { followIntentRule } from "./follow-intent.ts";
import { pinsRule } from "./pins.ts";
import type { Rule } from "./rule.ts";

/** All rules, in the order in which they work. A new rule is one file and one line here. */
export const rulesInOrder: readonly Rule[] = [
  categoryBoostRule,
  boostsRule,
  followIntentRule,
  pinsRule,
  collapseRule,
  capsRule,
  diversityRule,
];
