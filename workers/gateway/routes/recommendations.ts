import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { recommendationReceipt, replay } from "../../../shared/contracts/receipt.ts";
import {
  type RecommendationAnswer,
  recommendationAnswer,
  recommendationInput,
} from "../../../shared/contracts/recommendation.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { preferredLanguage } from "../../../shared/language/accept-language.ts";
import type { Gateway, GatewayContext } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";
import { describeAccess, mayActFor } from "../keys/caller.ts";
import { requesterOf } from "../keys/requester-of.ts";
import { filterFromQuery, filterParameters, withParameterPaths } from "../openapi/filter-parameters.ts";
import {
  type GuardRoute,
  idPath,
  jsonBody,
  jsonResponse,
  kilobytes,
  latitudeParameter,
  limitParameter,
  longitudeParameter,
  noQuery,
  plainIdPath,
  problemResponses,
} from "../openapi/operation.ts";
import { edgeLocationOf } from "../request/edge-location.ts";
import { pointFromQuery } from "../request/point-from-query.ts";

const answer = recommendationAnswer.meta({ id: "Recommendation" });
const input = recommendationInput.meta({ id: "RecommendationInput" });
const receipt = recommendationReceipt.meta({ id: "Receipt" });
const replayAnswer = replay.meta({ id: "Replay" });
const tags = ["Recommendations"];

/** Records an answer's model, stages and candidates for the request's data point and its `server-timing` header. */
function recordFigures(
  c: Context<GatewayContext>,
  { model, stages, candidates, items }: RecommendationAnswer,
): void {
  c.var.figures.modelVersion = model.version;
  c.var.figures.stages = stages;
  c.var.figures.candidates = candidates ?? items.length;
}

/** Adds routes that recommend products, and that return a recommendation's receipt. */
export function addRecommendationRoutes(app: Gateway, { services }: Dependencies, guard: GuardRoute): void {
  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/recommendations",
      summary: "Recommend products to a user at a location",
      description:
        `${describeAccess("user")} Without a \`location\`, or with (0, 0), the user's last location counts until it expires ` +
        "(after 12 hours by default), then the location that Cloudflare derives from the request, then the user's home. " +
        "`distanceKm` is rounded to what the precision of the place allows. For a stored place, it is null without " +
        "`locations:read`, and the list is computed for a place of about 1 km; reasons that tell what the user did need " +
        "`people:read`. A user's own token needs neither. " +
        "`warnings` says what was not used as it was sent. A product that the user dismissed is left out for the days that " +
        "`DISMISSED_DAYS` sets, unless they clicked, carted or purchased it since. `purchased` says what happens to " +
        "products that the user purchased in the last `PURCHASED_DAYS`: `hide` leaves them out, `fade` lowers their " +
        "scores, which recover day by day, and `keep` changes nothing. `auto` keeps what the user, or users in general, " +
        "buy again, and fades the rest. With `explain`, each item has its `reasons` and an `explanation`, whose sentence is in " +
        "English, German, Spanish or French, by `accept-language`.",
      tags,
      ...guard("user", kilobytes(256)),
      request: { query: noQuery, body: jsonBody(input) },
      responses: { 200: jsonResponse("Ranked products.", answer), ...problemResponses },
    }),
    async (c) => {
      const wanted = c.req.valid("json");
      const { caller } = c.var;
      if (!mayActFor(caller, wanted.userId))
        throwRefusal("forbidden", "A token may ask for recommendations of its own user only.");
      const language = preferredLanguage(c.req.header("accept-language"));
      const value = unwrap(
        await services.recommendation.recommend(
          caller.application,
          wanted,
          edgeLocationOf(c.req.raw.cf),
          requesterOf(caller),
          language,
        ),
        "the recommendation service",
      );
      recordFigures(c, value);
      if (wanted.explain) {
        c.header("content-language", language);
        c.header("vary", "accept-language", { append: true });
      }
      return c.json(value, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/users/{id}/recommendations",
      summary: "Recommend products to a user, with query parameters instead of a body",
      description: describeAccess("self"),
      tags,
      ...guard("self"),
      request: {
        params: idPath,
        query: z.strictObject({
          lat: latitudeParameter.optional(),
          lon: longitudeParameter.optional(),
          limit: limitParameter(100, 10),
          ...filterParameters,
        }),
      },
      responses: { 200: jsonResponse("Ranked products.", answer), ...problemResponses },
    }),
    async (c) => {
      const { lat, lon, limit, ...filters } = c.req.valid("query");
      const wanted = recommendationInput.parse({
        userId: c.req.valid("param").id,
        location: pointFromQuery(lat, lon),
        limit,
        ...filterFromQuery(filters),
      });
      const value = unwrap(
        withParameterPaths(
          await services.recommendation.recommend(
            c.var.caller.application,
            wanted,
            edgeLocationOf(c.req.raw.cf),
            requesterOf(c.var.caller),
          ),
        ),
        "the recommendation service",
      );
      recordFigures(c, value);
      return c.json(value, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/recommendations/{id}",
      summary:
        "Get the receipt of a recommendation: what was shown, with which probability, by which model, and from which request",
      description:
        `${describeAccess("server")} \`input\` is the request with its defaults, without the user and the location. Without \`locations:read\`, a key gets no receipt whose order and scores tell an exact ` +
        "place of the user that the key did not state itself, and other such receipts without the names of the place.",
      tags,
      ...guard("server"),
      request: { params: plainIdPath, query: noQuery },
      responses: { 200: jsonResponse("The receipt.", receipt), ...problemResponses },
    }),
    async (c) =>
      c.json(
        unwrap(
          await services.recommendation.receipt(
            c.var.caller.application,
            c.req.valid("param").id,
            requesterOf(c.var.caller),
          ),
          "the recommendation service",
        ),
        200,
      ),
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/recommendations/{id}/replay",
      summary: "Compute a recommendation again, from what it was computed from",
      description:
        `${describeAccess("server")} Whoever may read the receipt may replay it. The recorded inputs are those of requests ` +
        "with `explain`, or of all, as the deployment's `RECORD_INPUTS` says. The list is computed by the same model, and " +
        "compared with the receipt to the last bit. `gone` says what is gone if it is not the same. Nothing is stored and " +
        "nothing counts as shown.",
      tags,
      ...guard("server"),
      request: { params: plainIdPath, query: noQuery },
      responses: {
        200: jsonResponse("The list that was computed again, or what is gone.", replayAnswer),
        ...problemResponses,
      },
    }),
    async (c) =>
      c.json(
        unwrap(
          await services.recommendation.replay(
            c.var.caller.application,
            c.req.valid("param").id,
            requesterOf(c.var.caller),
          ),
          "the recommendation service",
        ),
        200,
      ),
  );
}
