import type { Shelves } from "../../../model/candidate-sources/source.ts";
import { type Columns, unpackColumns } from "../../../model/columns/columns.ts";
import type { Places } from "../../../model/pipeline/ports.ts";
import type { Result } from "../../../shared/contracts/result.ts";
import type { LocationApi } from "../../../shared/contracts/services.ts";

/** {@link Places} by the location worker: all in one call, columns as buffers. */
export const placesOf = (location: LocationApi, application: string): Places => ({
  around: async (query) => {
    const { near, chosen, followed, ...rest } = valueOf(await location.around(application, query));
    const block = (buffer: ArrayBuffer | null): Columns | null => buffer && unpacked(buffer);
    return { near: block(near), chosen: block(chosen), followed: block(followed), ...rest };
  },
});

/** {@link Shelves} by the location worker. */
export const shelvesOf = (location: LocationApi, application: string): Shelves => ({
  candidates: async (query) => unpacked(valueOf(await location.candidates(application, query))),
  columns: async (wanted, withNeighbours) =>
    unpacked(valueOf(await location.columns(application, wanted, withNeighbours))),
});

function valueOf<T>(answer: Result<T>): T {
  if (!answer.ok) throw new Error(`the spatial index refused: ${answer.error.detail}`);
  return answer.value;
}

function unpacked(buffer: ArrayBuffer): Columns {
  const columns = unpackColumns(buffer);
  if (!columns) throw new Error("the spatial index's answer is no block");
  return columns;
}
