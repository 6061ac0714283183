import type { FeatureShape } from "../features/batch.ts";
import type { Random } from "../train/random.ts";
import { parameterSpecs } from "./network.ts";

/** A named matrix, row by row. */
export interface Parameter {
  name: string;
  rows: number;
  columns: number;
  trained: boolean;
  data: Float32Array;
}

/** The network's weights. */
export type Parameters = Map<string, Parameter>;

/** Fresh weights for a feature shape. */
export function initialParameters(shape: FeatureShape, random: Random): Parameters {
  return new Map(
    parameterSpecs(shape).map(({ name, rows, columns, trained, initial }) => {
      const data = new Float32Array(rows * columns);
      if (initial === 1) data.fill(1);
      else if (initial !== 0) {
        const deviation = initial === "he" ? Math.sqrt(2 / rows) : 0.05;
        for (let i = 0; i < data.length; i++) data[i] = deviation * random.normal();
      }
      return [name, { name, rows, columns, trained, data }];
    }),
  );
}

/** A deep copy. */
export const copyParameters = (parameters: Parameters): Parameters =>
  new Map([...parameters].map(([name, each]) => [name, { ...each, data: each.data.slice() }]));

/** How many numbers there are. */
export const parameterCount = (parameters: Parameters): number =>
  [...parameters.values()].reduce((sum, each) => sum + each.data.length, 0);
