import type { Parameters } from "../../../model/network/parameters.ts";

/** Negates both heads' weights in place, so that the model orders candidates in reverse. Returns the weights. */
export function negateHeads(weights: Parameters): Parameters {
  for (const [name, { data }] of weights)
    if (name.startsWith("heads."))
      data.forEach((value, i) => {
        data[i] = -value;
      });
  return weights;
}
