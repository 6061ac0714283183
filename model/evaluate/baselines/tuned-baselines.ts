import type { Dataset } from "../../data/dataset.ts";
import { ease } from "./ease.ts";
import { heuristic } from "./heuristic.ts";
import { itemKnn } from "./item-knn.ts";
import { orderHeuristic } from "./order-heuristic.ts";
import { type TunedBaseline, tune } from "./tune.ts";

/** Returns the methods whose parameters are chosen on held-back events of the dataset. `onChosen` hears each as it is ready. */
export function tunedBaselines(
  dataset: Dataset,
  onChosen: (baseline: TunedBaseline) => void = () => undefined,
): TunedBaseline[] {
  const chosen = [
    () => tune(heuristic, dataset),
    () => tune(orderHeuristic, dataset),
    () => tune(itemKnn, dataset),
    () => tune(ease, dataset),
  ];
  return chosen.map((choose) => {
    const baseline = choose();
    onChosen(baseline);
    return baseline;
  });
}
