import type { Grouping } from "../../shared/contracts/rules.ts";
import { groupReaders } from "./grouping.ts";
import type { Rule } from "./rule.ts";

/** What a list shows one of if its rules do not say so: variants of a product. */
const usualGroupings: readonly Grouping[] = ["group"];

/** Shows the best product of each group only. A pinned product stands for its group. */
export const collapseRule: Rule = {
  name: "collapse",
  prepare({ collapse = usualGroupings }) {
    if (collapse.length === 0) return null;
    const readers = collapse.map((by) => ({ read: groupReaders[by], shown: new Set<string>() }));
    return {
      isKept(row) {
        for (const { read, shown } of readers) {
          const group = read(row);
          if (group !== null && shown.has(group)) return false;
        }
        for (const { read, shown } of readers) {
          const group = read(row);
          if (group !== null) shown.add(group);
        }
        return true;
      },
    };
  },
};
