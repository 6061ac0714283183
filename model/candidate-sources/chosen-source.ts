import { lastChoiceCount } from "../candidate-query/last-choices.ts";
import type { CandidateSource } from "./candidate-source.ts";

/** Finds products that the user chose before and may choose again. */
export const chosenSource: CandidateSource = {
  name: "chosen",
  find: async (store, { chosen, near }) =>
    chosen.length > 0 ? store.productColumns(chosen, lastChoiceCount, near.hidesSmallCounts) : null,
};
