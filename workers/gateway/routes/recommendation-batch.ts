import { createRoute } from "@hono/zod-openapi";
import {
  recommendationBatch,
  recommendationBatchInput,
} from "../../../shared/contracts/recommendation-batch.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import { describeAccess } from "../keys/caller.ts";
import { requesterOf } from "../keys/requester-of.ts";
import { countMoreRequests } from "../middleware/rate-limit.ts";
import {
  type GuardRoute,
  jsonBody,
  jsonResponse,
  kilobytes,
  noQuery,
  problemResponses,
} from "../openapi/operation.ts";

const input = recommendationBatchInput.meta({ id: "RecommendationBatchInput" });
const answer = recommendationBatch.meta({ id: "RecommendationBatch" });

/** Adds the route that recommends products to many users at once. */
export function addRecommendationBatchRoute(
  app: Gateway,
  { services, limiter, applicationLimiter }: Dependencies,
  guard: GuardRoute,
): void {
  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/recommendations/batch",
      summary: "Recommend products to up to 100 users, for example for an email to each of them",
      description:
        `${describeAccess("server")} \`userIds\` are the users; the other fields are those of \`POST /v1/recommendations\` for each of ` +
        "them. Each has a list, with a `recommendationId` of its own, or an `error` in place of it, in the order of `userIds`. What is wrong " +
        "with the request itself is refused with 400 or 403. A list is for the user's last location or home. " +
        "Each user counts as a request in the rate limits. An error with `retryAfter` is no fault of the request: send these users again.",
      tags: ["Recommendations"],
      ...guard("server", kilobytes(256)),
      request: { query: noQuery, body: jsonBody(input) },
      responses: { 200: jsonResponse("A list or an error for each user.", answer), ...problemResponses },
    }),
    async (c) => {
      const wanted = c.req.valid("json");
      const { caller } = c.var;
      const more = wanted.userIds.length - 1;
      await countMoreRequests({ limiter, applicationLimiter }, caller, c.req.raw.headers, more);
      return c.json(
        unwrap(
          await services.recommendation.recommendBatch(caller.application, wanted, requesterOf(caller)),
          "the recommendation service",
        ),
        200,
      );
    },
  );
}
