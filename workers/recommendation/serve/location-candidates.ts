import type { CandidateStore } from "../../../model/candidate-sources/candidate-store.ts";
import { type Columns, unpackColumns } from "../../../model/columns/columns.ts";
import type { CandidateService } from "../../../model/pipeline/ports.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import type { LocationApi } from "../../../shared/services/location-api.ts";

/** Returns a {@link CandidateService} that calls the location worker once per query. Columns travel as buffers. */
export const locationCandidateService = (location: LocationApi, application: string): CandidateService => ({
  gatherCandidates: async (query) => {
    const { near, chosen, next, ...rest } = unwrap(
      await location.gatherCandidates(application, query),
      "the spatial index",
    );
    const block = (buffer: ArrayBuffer | null): Columns | null => buffer && unpacked(buffer);
    return { near: block(near), chosen: block(chosen), next: block(next), ...rest };
  },
});

/** Returns a {@link CandidateStore} that calls the location worker. */
export const locationCandidateStore = (location: LocationApi, application: string): CandidateStore => ({
  firstStageCandidates: async (query) =>
    unpacked(unwrap(await location.firstStageCandidates(application, query), "the spatial index")),
  productColumns: async (wanted, withNextProducts) =>
    unpacked(
      unwrap(await location.productColumns(application, wanted, withNextProducts), "the spatial index"),
    ),
});

function unpacked(buffer: ArrayBuffer): Columns {
  const columns = unpackColumns(buffer);
  if (!columns) throw new Error("the location worker answered with a buffer that is not a column block");
  return columns;
}
