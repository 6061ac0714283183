import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import { issuesOf } from "../../shared/contracts/result.ts";
import type { Gateway, GatewayContext } from "./context.ts";
import type { Dependencies } from "./dependencies.ts";
import { explainMalformedJson } from "./errors/malformed-json.ts";
import { errorResponse, methodNotAllowedResponse, refusalResponse } from "./errors/problem-response.ts";
import { Authenticator } from "./keys/authenticator.ts";
import { authenticate, authorize } from "./middleware/authorize.ts";
import { crossOrigin } from "./middleware/cross-origin.ts";
import { limitAddress } from "./middleware/limit-address.ts";
import { measureRequest } from "./middleware/measure-request.ts";
import { noStore } from "./middleware/no-store.ts";
import { limitApplication, limitRate } from "./middleware/rate-limit.ts";
import { receiveBeacon } from "./middleware/receive-beacon.ts";
import { receiveBody } from "./middleware/receive-body.ts";
import { requireDecodablePath } from "./middleware/require-decodable-path.ts";
import { requireJson } from "./middleware/require-json.ts";
import { securityHeaders } from "./middleware/security-headers.ts";
import type { GuardRoute } from "./openapi/operation.ts";
import { addCatalogSchemaRoutes } from "./routes/catalog-schema.ts";
import { addCoarseningRoute } from "./routes/coarsenings.ts";
import { addDeadLetterRoutes } from "./routes/dead-letters.ts";
import { addDiscoveryRoutes } from "./routes/discovery.ts";
import { addEvaluationRoutes } from "./routes/evaluations.ts";
import { addEventBulkRoute } from "./routes/event-bulk.ts";
import { addEventRoute } from "./routes/events.ts";
import { addExperimentRoutes } from "./routes/experiments.ts";
import { addHealthRoutes } from "./routes/health.ts";
import { addImageRoutes } from "./routes/images.ts";
import { addImportRoutes } from "./routes/imports.ts";
import { addKeyRoutes } from "./routes/keys.ts";
import { addLiveRoute } from "./routes/live.ts";
import { addLocationRoutes } from "./routes/locations.ts";
import { addMergeRoutes } from "./routes/merges.ts";
import { addModelRoutes } from "./routes/models.ts";
import { addOpenApiDocument } from "./routes/openapi-document.ts";
import { addPageRoutes } from "./routes/pages.ts";
import { addProductBulkRoute } from "./routes/product-bulk.ts";
import { addProductRoutes } from "./routes/products.ts";
import { addRebuildRoute } from "./routes/rebuild.ts";
import { addRecalibrationRoutes } from "./routes/recalibrations.ts";
import { addRecommendationBatchRoute } from "./routes/recommendation-batch.ts";
import { addRecommendationRoutes } from "./routes/recommendations.ts";
import { addScenarioRoutes } from "./routes/scenarios.ts";
import { addTokenRoutes } from "./routes/tokens.ts";
import { addUserRoutes } from "./routes/users.ts";

/** Names of a request's parts in errors, by Hono's target. A part that is not listed here keeps Hono's name. */
const partNames: Partial<Record<string, string>> = { json: "body", form: "body", param: "path" };

/** Returns the part of a request that a validator parsed, from which errors quote; undefined for other parts. */
function partOf(c: Context<GatewayContext>, target: string): unknown {
  if (target === "json") return c.req.json();
  if (target === "query")
    return Object.fromEntries(
      Object.entries(c.req.queries()).map(([name, values]) => [name, values.length > 1 ? values : values[0]]),
    );
  return target === "param" ? c.req.param() : undefined;
}

/** Builds the public HTTP API: first the middleware that every request passes, then the routes. */
export function createApp(dependencies: Dependencies): Gateway {
  const app: Gateway = new OpenAPIHono<GatewayContext>({
    defaultHook: async (result, c) =>
      result.success
        ? undefined
        : refusalResponse(c, {
            code: "invalid_input",
            detail: `The ${partNames[result.target] ?? result.target} does not match its schema in /openapi.json; see \`errors\`.`,
            issues: issuesOf(result.error, await partOf(c, result.target)),
          }),
  });
  const authenticator = new Authenticator({ ...dependencies, keys: dependencies.store });
  const guard: GuardRoute = (access, maxBodyBytes, bodyKind = "json") => ({
    security: [{ credential: [access] }],
    middleware: [
      ...(bodyKind === "beacon"
        ? [receiveBeacon(dependencies.minBodyRate, dependencies.settings.origins)]
        : []),
      authenticate(authenticator, access),
      // The rate limit runs before the check of the scope, so that refused requests count too.
      limitRate(dependencies.limiter),
      limitApplication(dependencies.applicationLimiter),
      authorize(access),
      ...(maxBodyBytes === undefined
        ? []
        : [
            ...(bodyKind !== "other" ? [requireJson] : []),
            receiveBody(maxBodyBytes, dependencies.minBodyRate),
          ]),
    ],
  });

  app.use(
    measureRequest(dependencies.meter, dependencies.now),
    securityHeaders,
    crossOrigin(dependencies.settings.origins),
  );
  app.use("/v1/*", noStore, requireDecodablePath, limitAddress(dependencies.addressLimiter));
  app.use(methodNotAllowed({ app, onMethodNotAllowed: methodNotAllowedResponse }));
  app.onError(async (error, c) => errorResponse(c, await explainMalformedJson(c, error)));
  app.notFound((c) =>
    refusalResponse(c, {
      code: "not_found",
      detail: "This path does not exist; /openapi.json lists all paths.",
    }),
  );

  addRecommendationRoutes(app, dependencies, guard);
  addRecommendationBatchRoute(app, dependencies, guard);
  addLiveRoute(app, dependencies, guard);
  addEventRoute(app, dependencies, guard);
  addEventBulkRoute(app, dependencies, guard);
  addProductBulkRoute(app, dependencies, guard);
  addProductRoutes(app, dependencies, guard);
  addCatalogSchemaRoutes(app, dependencies, guard);
  addImageRoutes(app, dependencies, guard);
  addDiscoveryRoutes(app, dependencies, guard);
  addLocationRoutes(app, dependencies, guard);
  addUserRoutes(app, dependencies, guard);
  addMergeRoutes(app, dependencies, guard, authenticator);
  addCoarseningRoute(app, dependencies, guard);
  addModelRoutes(app, dependencies, guard);
  addExperimentRoutes(app, dependencies, guard);
  addScenarioRoutes(app, dependencies, guard);
  addRecalibrationRoutes(app, dependencies, guard);
  addEvaluationRoutes(app, dependencies, guard);
  addKeyRoutes(app, dependencies, guard, authenticator);
  addTokenRoutes(app, dependencies, guard);
  addImportRoutes(app, dependencies, guard);
  addDeadLetterRoutes(app, dependencies, guard);
  addRebuildRoute(app, dependencies, guard);
  addHealthRoutes(app, dependencies, guard);
  addOpenApiDocument(app);
  addPageRoutes(app, dependencies);
  return app;
}
