import { OpenAPIHono } from "@hono/zod-openapi";
import { methodNotAllowed } from "hono/method-not-allowed";
import { issuesOf } from "../../shared/contracts/result.ts";
import type { Gateway, GatewayContext } from "./context.ts";
import type { Dependencies } from "./dependencies.ts";
import {
  errorResponse,
  methodNotAllowedResponse as methodRefusal,
  refusalResponse,
} from "./errors/problem-response.ts";
import { Authenticator } from "./keys/authenticator.ts";
import { authenticate, authorize } from "./middleware/authorize.ts";
import { crossOrigin } from "./middleware/cross-origin.ts";
import { measureRequest } from "./middleware/measure-request.ts";
import { noStore } from "./middleware/no-store.ts";
import { limitRate } from "./middleware/rate-limit.ts";
import { receiveBody } from "./middleware/receive-body.ts";
import { requireJson } from "./middleware/require-json.ts";
import { securityHeaders } from "./middleware/security-headers.ts";
import type { GuardRoute } from "./openapi/operation.ts";
import { addDeadLetterRoutes } from "./routes/dead-letters.ts";
import { addDiscoveryRoutes } from "./routes/discovery.ts";
import { addEventBulkRoute } from "./routes/event-bulk.ts";
import { addEventRoute } from "./routes/events.ts";
import { addHealthRoutes } from "./routes/health.ts";
import { addImageRoutes } from "./routes/images.ts";
import { addImportRoute } from "./routes/imports.ts";
import { addKeyRoutes } from "./routes/keys.ts";
import { addLiveRoute } from "./routes/live.ts";
import { addLocationRoutes } from "./routes/locations.ts";
import { addModelRoutes } from "./routes/models.ts";
import { addOpenApiDocument } from "./routes/openapi-document.ts";
import { addPageRoutes } from "./routes/pages.ts";
import { addProductBulkRoute } from "./routes/product-bulk.ts";
import { addProductRoutes } from "./routes/products.ts";
import { addRebuildRoute } from "./routes/rebuild.ts";
import { addRecalibrationRoutes } from "./routes/recalibrations.ts";
import { addRecommendationRoutes } from "./routes/recommendations.ts";
import { addTokenRoute } from "./routes/tokens.ts";
import { addUserRoutes } from "./routes/users.ts";

/** The names of a request's parts in errors, by Hono's names of them; a part that is missing here keeps Hono's name. */
const partNames: Partial<Record<string, string>> = { json: "body", form: "body", param: "path" };

/** Builds the public HTTP API: first the middleware that every request passes, then the routes. */
export function createApp(ports: Dependencies): Gateway {
  const app: Gateway = new OpenAPIHono<GatewayContext>({
    defaultHook: (result, c) =>
      result.success
        ? undefined
        : refusalResponse(c, {
            code: "invalid_input",
            detail: `The ${partNames[result.target] ?? result.target} does not match its schema in /openapi.json; see \`errors\`.`,
            issues: issuesOf(result.error),
          }),
  });
  const authenticator = new Authenticator({ ...ports, keys: ports.store });
  const guard: GuardRoute = (access, bodyBytes, kind = "json") => ({
    security: [{ credential: [access] }],
    middleware: [
      authenticate(authenticator, access),
      // The rate limit runs before the check of the scope, so that refused requests count too.
      limitRate(ports.limiter),
      authorize(access),
      ...(bodyBytes === undefined
        ? []
        : [...(kind === "json" ? [requireJson] : []), receiveBody(bodyBytes, ports.minBodyRate)]),
    ],
  });

  app.use(measureRequest(ports.meter, ports.now), securityHeaders, crossOrigin(ports.settings.origins));
  app.use("/v1/*", noStore);
  app.use(methodNotAllowed({ app, onMethodNotAllowed: methodRefusal }));
  app.onError((error, c) => errorResponse(c, error));
  app.notFound((c) =>
    refusalResponse(c, {
      code: "not_found",
      detail: "This path does not exist; /openapi.json lists all paths.",
    }),
  );

  addRecommendationRoutes(app, ports, guard);
  addLiveRoute(app, ports, guard);
  addEventRoute(app, ports, guard);
  addEventBulkRoute(app, ports, guard);
  addProductBulkRoute(app, ports, guard);
  addProductRoutes(app, ports, guard);
  addImageRoutes(app, ports, guard);
  addDiscoveryRoutes(app, ports, guard);
  addLocationRoutes(app, ports, guard);
  addUserRoutes(app, ports, guard);
  addModelRoutes(app, ports, guard);
  addRecalibrationRoutes(app, ports, guard);
  addKeyRoutes(app, ports, guard, authenticator);
  addTokenRoute(app, ports, guard);
  addImportRoute(app, ports, guard);
  addDeadLetterRoutes(app, ports, guard);
  addRebuildRoute(app, ports, guard);
  addHealthRoutes(app, ports);
  addOpenApiDocument(app);
  addPageRoutes(app, ports);
  return app;
}
