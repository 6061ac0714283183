import type { Random } from "../../train/random.ts";
import type { Parameters } from "./tuned-method.ts";

/**
 * Returns the parameters of the highest quality that a coordinate search finds with at most `budget` evaluations. In each
 * round it visits the parameters in random order. Of each it tries the next larger and the next smaller value, and goes on
 * in that direction while the quality grows. The search ends after a round without a gain.
 */
export function chooseParameters<Name extends string>(
  values: Readonly<Record<Name, readonly number[]>>,
  start: Parameters<Name>,
  quality: (parameters: Parameters<Name>) => number,
  budget: number,
  random: Random,
): Parameters<Name> {
  const names = Object.keys(values) as Name[];
  const known = new Map<string, number>();
  let evaluations = 0;
  /** Returns the quality of parameters; NaN, which is above nothing, once the budget is used up. */
  const qualityOf = (parameters: Parameters<Name>): number => {
    const key = names.map((name) => parameters[name]).join(" ");
    const before = known.get(key);
    if (before !== undefined) return before;
    if (evaluations === budget) return Number.NaN;
    evaluations++;
    const found = quality(parameters);
    known.set(key, found);
    return found;
  };
  let best = start;
  let highest = qualityOf(best);
  for (let gained = true; gained; ) {
    gained = false;
    for (const name of random.shuffle([...names]))
      for (const step of [1, -1])
        for (;;) {
          const value = values[name][values[name].indexOf(best[name]) + step];
          if (value === undefined) break;
          const next = { ...best, [name]: value };
          const found = qualityOf(next);
          if (!(found > highest)) break;
          best = next;
          highest = found;
          gained = true;
        }
  }
  return best;
}
