import type { Dataset } from "../../data/dataset.ts";
import { ease } from "./ease.ts";
import { heuristic } from "./heuristic.ts";
import { itemKnn } from "./item-knn.ts";
import { orderHeuristic } from "./order-heuristic.ts";
import { type ChosenParameters, type TunedBaseline, tune, withParameters } from "./tune.ts";
import type { Parameters, TunedMethod } from "./tuned-method.ts";

/** Returns the values of a method's parameters. Throws an error if one is missing. */
function parametersFor<Name extends string>(
  { name, values }: TunedMethod<Name>,
  given: ChosenParameters["parameters"],
): Parameters<Name> {
  const found = { ...given } as Parameters<Name>;
  for (const parameter in values)
    if (found[parameter] === undefined) throw new Error(`${name} needs the parameter ${parameter}.`);
  return found;
}

const tunable = <Name extends string>(method: TunedMethod<Name>) => ({
  name: method.name,
  choose: (dataset: Dataset): TunedBaseline => tune(method, dataset),
  make: (dataset: Dataset, parameters: ChosenParameters["parameters"]): TunedBaseline =>
    withParameters(method, parametersFor(method, parameters), dataset),
});
const methods = [tunable(heuristic), tunable(orderHeuristic), tunable(itemKnn), tunable(ease)];

/** Returns the methods whose parameters are chosen on held-back events of the dataset. `onChosen` hears each as it is ready. */
export function tunedBaselines(
  dataset: Dataset,
  onChosen: (baseline: TunedBaseline) => void = () => undefined,
): TunedBaseline[] {
  return methods.map(({ choose }) => {
    const baseline = choose(dataset);
    onChosen(baseline);
    return baseline;
  });
}

/** Returns the methods with parameters that were chosen before. Throws an error for an unknown method. */
export const baselinesWith = (dataset: Dataset, chosen: readonly ChosenParameters[]): TunedBaseline[] =>
  chosen.map(({ name, parameters }) => {
    const method = methods.find((each) => each.name === name);
    if (!method) throw new Error(`There is no method ${JSON.stringify(name)}.`);
    return method.make(dataset, parameters);
  });
