import type { CandidateStore } from "../../../model/candidate-sources/source.ts";
import { type Columns, unpackColumns } from "../../../model/columns/columns.ts";
import type { CandidateService } from "../../../model/pipeline/ports.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import type { LocationApi } from "../../../shared/contracts/services.ts";

/** {@link CandidateService} by the location worker: all in one call, columns as buffers. */
export const locationCandidateService = (location: LocationApi, application: string): CandidateService => ({
  gather: async (query) => {
    const { near, chosen, next, ...rest } = unwrap(
      await location.gatherCandidates(application, query),
      "the spatial index",
    );
    const block = (buffer: ArrayBuffer | null): Columns | null => buffer && unpacked(buffer);
    return { near: block(near), chosen: block(chosen), next: block(next), ...rest };
  },
});

/** {@link CandidateStore} by the location worker. */
export const locationCandidateStore = (location: LocationApi, application: string): CandidateStore => ({
  firstStage: async (query) =>
    unpacked(unwrap(await location.firstStageCandidates(application, query), "the spatial index")),
  products: async (wanted, withNextProducts) =>
    unpacked(
      unwrap(await location.productColumns(application, wanted, withNextProducts), "the spatial index"),
    ),
});

function unpacked(buffer: ArrayBuffer): Columns {
  const columns = unpackColumns(buffer);
  if (!columns) throw new Error("the spatial index's answer is no block");
  return columns;
}
