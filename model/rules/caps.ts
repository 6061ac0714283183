import { groupReaders, type ReadGroup } from "./grouping.ts";
import type { Rule } from "./rule.ts";

/** Limits how many products of one category and of one group a list has. */
export const capsRule: Rule = {
  name: "caps",
  prepare({ perCategory, perGroup }) {
    const caps: { read: ReadGroup; max: number; counts: Map<string, number> }[] = [];
    const add = (read: ReadGroup, max: number | undefined): void => {
      if (max !== undefined) caps.push({ read, max, counts: new Map() });
    };
    add(groupReaders.category, perCategory);
    add(groupReaders.group, perGroup);
    if (caps.length === 0) return null;
    return {
      isAllowed(row) {
        for (const { read, max, counts } of caps) {
          const group = read(row);
          if (group !== null && (counts.get(group) ?? 0) >= max) return false;
        }
        return true;
      },
      take(row) {
        for (const { read, counts } of caps) {
          const group = read(row);
          if (group !== null) counts.set(group, (counts.get(group) ?? 0) + 1);
        }
      },
    };
  },
};
