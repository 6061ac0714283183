import type { FeatureShape } from "../features/batch.ts";
import type { Random } from "../train/random.ts";
import { parameterSpecs } from "./network.ts";

/** A named matrix of the network; `data` is row by row. */
export interface Parameter {
  name: string;
  rows: number;
  columns: number;
  trained: boolean;
  data: Float32Array;
}

/** The network's parameters by name. */
export type Parameters = Map<string, Parameter>;

/** Standard deviation of `small` initial values. */
const smallDeviation = 0.05;

/** Returns the parameters before training; `random` draws the initial values. */
export function initialParameters(shape: FeatureShape, random: Random): Parameters {
  return new Map(
    parameterSpecs(shape).map(({ name, rows, columns, trained, initial }) => {
      const data = new Float32Array(rows * columns);
      if (initial === 1) data.fill(1);
      else if (initial !== 0) {
        const deviation = initial === "he" ? Math.sqrt(2 / rows) : smallDeviation;
        for (let i = 0; i < data.length; i++) data[i] = deviation * random.normal();
      }
      return [name, { name, rows, columns, trained, data }];
    }),
  );
}

/** Returns a deep copy. */
export const copyParameters = (parameters: Parameters): Parameters =>
  new Map([...parameters].map(([name, each]) => [name, { ...each, data: each.data.slice() }]));

/** Returns the number of values in all parameters. */
export const parameterCount = (parameters: Parameters): number =>
  [...parameters.values()].reduce((sum, each) => sum + each.data.length, 0);
