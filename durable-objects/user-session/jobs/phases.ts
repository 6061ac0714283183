/** How far a job is with a store. */
export interface StoreProgress<Store extends string> {
  store: Store;
  status: "done" | "running" | "waiting";
}

/** Returns the phase after `phase`. */
export const phaseAfter = <Phase extends string>(phases: readonly Phase[], phase: Phase): Phase =>
  phases[phases.indexOf(phase) + 1];

/**
 * Returns how far a job in `phase` is with each store. `firstPhaseAfter` names the first phase in which a store is done.
 * The first store of `stores` that is not done is running.
 */
export function storeProgress<Store extends string, Phase extends string>(
  stores: readonly Store[],
  firstPhaseAfter: Record<Store, Phase>,
  phases: readonly Phase[],
  phase: Phase,
): StoreProgress<Store>[] {
  const phaseIndex = phases.indexOf(phase);
  const isDone = (store: Store): boolean => phaseIndex >= phases.indexOf(firstPhaseAfter[store]);
  const running = stores.find((store) => !isDone(store));
  return stores.map((store) => ({
    store,
    status: isDone(store) ? "done" : store === running ? "running" : "waiting",
  }));
}
