import type { Parameters } from "../../../model/network/parameters.ts";

/** Weights with which a model says the opposite of what it said: both heads' logits are negated. In place. */
export function negated(weights: Parameters): Parameters {
  for (const [name, { data }] of weights)
    if (name.startsWith("heads."))
      data.forEach((value, i) => {
        data[i] = -value;
      });
  return weights;
}
