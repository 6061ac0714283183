import { type CountingRules, countingRulesByName } from "../replay/tile-pyramid.ts";

/** Option of the command line that says how users count for others, for `parseArgs`. */
export const countingArgument = { counts: { type: "string", default: "every" } } as const;

/** The option, as a usage line shows it. */
export const countingUsage = "[--counts every|serving]";

/** What the option means, to print below the usage. */
export const countingHelp = `--counts says how the users of the dataset count for one another:
  every    each hour of a user counts, and one user makes a next product (default; so the bundled model is trained)
  serving  as a deployment without settings counts: a user counts for a product in few hours, and a next product needs
           five users`;

/** Returns the rules with a name, `every` or `serving`. Throws if there are none. */
export function parseCounting(name: string): CountingRules {
  const rules = Object.entries(countingRulesByName).find(([each]) => each === name)?.[1];
  if (rules) return rules;
  throw new Error(
    `--counts must be one of ${Object.keys(countingRulesByName).join(", ")}; got ${JSON.stringify(name)}.`,
  );
}
