import type { Grouping } from "../../shared/contracts/rules.ts";
import { Groups } from "./grouping.ts";
import type { Rule } from "./rule.ts";

/** What a list shows one of if its rules do not say so: variants of a product. */
const usualGroupings: readonly Grouping[] = ["group"];

/**
 * Shows the best product of each group only. A pinned product stands for its group. Of products that share a value of a list
 * it shows one.
 */
export const collapseRule: Rule = {
  name: "collapse",
  prepare({ collapse = usualGroupings }, context) {
    if (collapse.length === 0) return null;
    const properties = collapse.map((by) => ({ groups: new Groups(by, context), shown: [] as boolean[] }));
    return {
      isKept({ block, row }) {
        for (const { groups, shown } of properties) {
          const { starts, items } = groups.of(block);
          for (let i = starts[row]; i < starts[row + 1]; i++) if (shown[items[i]]) return false;
        }
        for (const { groups, shown } of properties) {
          const { starts, items } = groups.of(block);
          for (let i = starts[row]; i < starts[row + 1]; i++) shown[items[i]] = true;
        }
        return true;
      },
    };
  },
};
