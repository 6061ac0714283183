import type { ResolvedLocation } from "../../../shared/contracts/location.ts";
import type { Point } from "../../../shared/contracts/primitives.ts";
import type { CardRequest, ProductCard } from "../../../shared/contracts/product.ts";
import { ok, unwrap } from "../../../shared/contracts/result.ts";
import type { CandidateBlocks, CandidateRequest } from "../../../shared/contracts/retrieval.ts";
import type { LocationApi } from "../../../shared/services/location-api.ts";
import type { ProductApi } from "../../../shared/services/product-api.ts";
import type { JoinedCalls } from "./joined-calls.ts";

/** Cards of one call: the product worker reads each from KV, writes it there if it is missing, and may make 1,000 such calls. */
const maxCardsPerCall = 450;

type LocationOfList = Pick<LocationApi, "edgePoint" | "coarsen" | "filterCurrency" | "gatherCandidates">;
type ProductOfList = Pick<ProductApi, "getCards" | "getSchema">;

/** The names of a coarsened place, which a list reads from the answer with its candidates. */
const unknownPlace: ResolvedLocation = {
  city: null,
  country: null,
  timezone: "UTC",
  cell: "",
  distanceKm: null,
};

/**
 * Returns, for each number of a user, the environment in which their list is made: calls of the location and product services
 * are joined with those of other users. The edge tells where the sender of the batch is, not its users: it counts for none.
 */
export function joinedServices(
  env: RecommendationEnv,
  application: string,
  joined: JoinedCalls,
): (user: number) => RecommendationEnv {
  const gather = joined.method(async (queries: CandidateRequest[]) =>
    orAgain(unwrap(await env.LOCATION.gatherManyCandidates(application, queries), "the spatial index")),
  );
  const currency = joined.method(async (points: (Point | null)[]) =>
    unwrap(await env.LOCATION.filterCurrencies(application, points), "the location service"),
  );
  const city = joined.method(async (points: Point[]) =>
    unwrap(await env.LOCATION.coarsenPoints(points, "city"), "the location service"),
  );
  const cards = joined.method(async (requests: CardRequest[][]) => {
    const { wanted, count } = unionOf(requests);
    const known = new Map<string, ProductCard>();
    for (const card of unwrap(await env.PRODUCT.getCards(application, wanted), "the product service"))
      known.set(card.id, card);
    return requests.map((each, i) =>
      i < count ? each.flatMap(({ productId }) => known.get(productId) ?? []) : undefined,
    );
  });
  const schema = joined.method(async (calls: null[]) => {
    const found = await env.PRODUCT.getSchema(application);
    return calls.map(() => found);
  });
  return (user) => {
    const location: LocationOfList = {
      edgePoint: async () => ok(null),
      coarsen: async (point, precision) =>
        precision === "city"
          ? ok({ point: await city(user, point), place: unknownPlace })
          : env.LOCATION.coarsen(point, precision),
      filterCurrency: async (_application, point) => ok(await currency(user, point)),
      gatherCandidates: async (_application, query) => ok(await gather(user, query)),
    };
    const product: ProductOfList = {
      getCards: async (_application, wanted) => ok(await cards(user, [...wanted])),
      getSchema: () => schema(user, null),
    };
    // A list calls no other methods of these services.
    return {
      ...env,
      LOCATION: location as unknown as RecommendationEnv["LOCATION"],
      PRODUCT: product as unknown as RecommendationEnv["PRODUCT"],
    };
  };
}

/** Returns answers with `undefined` for those that had no room in the call. */
const orAgain = (answers: (CandidateBlocks<ArrayBuffer> | null)[]) =>
  answers.map((each) => each ?? undefined);

/** Returns the products of the first requests, each once at its newest version, and how many requests fit into one call. */
function unionOf(requests: readonly CardRequest[][]): { wanted: CardRequest[]; count: number } {
  const union = new Map<string, CardRequest>();
  let count = 0;
  for (const request of requests) {
    const added = request.filter(({ productId }) => !union.has(productId));
    if (count > 0 && union.size + added.length > maxCardsPerCall) break;
    for (const each of request) {
      const known = union.get(each.productId);
      if (!known || known.version < each.version) union.set(each.productId, each);
    }
    count++;
  }
  return { wanted: [...union.values()], count };
}
