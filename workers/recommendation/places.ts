import { type Columns, unpackColumns } from "../../model/columns/columns.ts";
import type { Places } from "../../model/pipeline/ports.ts";
import type { Result } from "../shared/contracts/result.ts";
import type { LocationApi } from "../shared/contracts/services.ts";

/** {@link Places} by the location worker: columns cross as one buffer. */
export function placesOf(location: LocationApi, application: string): Places {
  return {
    candidates: async (query) => decoded(await location.candidates(application, query)),
    columns: async (wanted, withNeighbours) =>
      decoded(await location.columns(application, wanted, withNeighbours)),
  };
}

function decoded(answer: Result<ArrayBuffer>): Columns {
  if (!answer.ok) throw new Error(`the spatial index refused: ${answer.error.detail}`);
  const columns = unpackColumns(answer.value);
  if (!columns) throw new Error("the spatial index's answer is no block");
  return columns;
}
