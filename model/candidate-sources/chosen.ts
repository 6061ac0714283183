import { lastChoiceCount } from "../candidate-query/last-choices.ts";
import type { CandidateSource } from "./source.ts";

/** What the person chose before. */
export const chosen: CandidateSource = {
  name: "chosen",
  find: async (store, { chosen: list }) => (list.length > 0 ? store.products(list, lastChoiceCount) : null),
};
