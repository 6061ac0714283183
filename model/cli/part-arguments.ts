import { type EvaluatedPart, evaluatedParts } from "../data/evaluated-part.ts";
import { worlds } from "../data/worlds/worlds.ts";

/** Options of a command that evaluates: the part of the dataset, and the variant of it. */
export const partArguments = {
  on: { type: "string", default: "test" },
  world: { type: "string", default: "given" },
} as const;

/** The part to evaluate on, and the name of a world of `model/data/worlds`. */
export interface EvaluatedPartArguments {
  on: EvaluatedPart;
  world: string;
}

/** Returns the parsed options; throws an error that names the choices. */
export function parsePart({ on, world }: { on: string; world: string }): EvaluatedPartArguments {
  const part = evaluatedParts.find((each) => each === on);
  if (part === undefined) throw new Error(`--on must be ${evaluatedParts.join(" or ")}; got "${on}".`);
  if (!Object.hasOwn(worlds, world))
    throw new Error(`--world must be one of ${Object.keys(worlds).join(", ")}; got "${world}".`);
  return { on: part, world };
}

/** Returns the title of a report: the dataset, and what differs from its test part as given. */
export const titleOf = (dataset: string, { on, world }: EvaluatedPartArguments): string =>
  [dataset, ...(on === "test" ? [] : [on]), ...(world === "given" ? [] : [`world ${world}`])].join(", ");
