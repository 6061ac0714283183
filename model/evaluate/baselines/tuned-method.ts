import type { Dataset } from "../../data/dataset.ts";
import type { ChoicesByUser, Question } from "./user-choices.ts";

/** Values of parameters, by name. */
export type Parameters<Name extends string> = Readonly<Record<Name, number>>;

/** A method with parameters that the program chooses on held-back events. */
export interface TunedMethod<Name extends string> {
  name: string;
  /** The values to choose from, ascending, by parameter. */
  values: Readonly<Record<Name, readonly number[]>>;
  /** Where the search begins: one of the values of each parameter. */
  start: Parameters<Name>;
  /** Counts the choices of all users, and returns what scores with any parameters. */
  fit(dataset: Dataset, past: ChoicesByUser): FittedMethod<Name>;
}

/** Adds the scores of a question to `scores`, by item index. */
export type FittedMethod<Name extends string> = (
  scores: Float64Array,
  question: Question,
  parameters: Parameters<Name>,
) => void;
