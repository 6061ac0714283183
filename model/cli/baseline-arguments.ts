import type { Dataset } from "../data/dataset.ts";
import type { TunedBaseline } from "../evaluate/baselines/tune.ts";
import { tunedBaselines } from "../evaluate/baselines/tuned-baselines.ts";

/** Option of a command that evaluates: which methods it compares the pipeline with. */
export const baselineArgument = { baselines: { type: "string", default: "all" } } as const;

/** The option, as a usage line shows it. */
export const baselineUsage = "[--baselines counting|all]";

const choices = ["counting", "all"];

/** Returns what makes the methods beside the counting methods, and prints the parameters that it chose. Throws an error that names the choices. */
export function parseBaselines(name: string): (dataset: Dataset) => TunedBaseline[] {
  if (!choices.includes(name))
    throw new Error(`--baselines must be ${choices.join(" or ")}; got ${JSON.stringify(name)}.`);
  if (name === "counting") return () => [];
  return (dataset) => tunedBaselines(dataset, (chosen) => console.log(parametersLine(chosen)));
}

/** Returns the chosen parameters of a method as one line. */
export const parametersLine = ({ name, parameters }: Pick<TunedBaseline, "name" | "parameters">): string =>
  `${name}: ${Object.entries(parameters)
    .map(([parameter, value]) => `${parameter} ${value}`)
    .join(", ")}`;

/** Returns the chosen parameters by method. */
export const parametersByName = (
  baselines: readonly TunedBaseline[],
): Record<string, TunedBaseline["parameters"]> =>
  Object.fromEntries(baselines.map(({ name, parameters }) => [name, parameters]));
