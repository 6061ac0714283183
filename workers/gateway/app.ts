import { OpenAPIHono } from "@hono/zod-openapi";
import { methodNotAllowed } from "hono/method-not-allowed";
import { issuesOf } from "../../shared/contracts/result.ts";
import type { Gateway, GatewayContext } from "./context.ts";
import {
  errorResponse,
  methodNotAllowed as methodRefusal,
  refusalResponse,
} from "./errors/problem-response.ts";
import { Authenticator } from "./keys/authenticator.ts";
import { authenticate, authorize } from "./middleware/authorize.ts";
import { crossOrigin } from "./middleware/cross-origin.ts";
import { keepPrivate } from "./middleware/keep-private.ts";
import { measure } from "./middleware/measure.ts";
import { limitRate } from "./middleware/rate-limit.ts";
import { receiveBody } from "./middleware/receive-body.ts";
import { requireJson } from "./middleware/require-json.ts";
import { securityHeaders } from "./middleware/security-headers.ts";
import type { Guard } from "./openapi/operation.ts";
import type { Ports } from "./ports.ts";
import { deadLetters } from "./routes/dead-letters.ts";
import { discovery } from "./routes/discovery.ts";
import { document } from "./routes/document.ts";
import { eventBulk } from "./routes/event-bulk.ts";
import { events } from "./routes/events.ts";
import { health } from "./routes/health.ts";
import { images } from "./routes/images.ts";
import { imports } from "./routes/imports.ts";
import { keys } from "./routes/keys.ts";
import { live } from "./routes/live.ts";
import { locations } from "./routes/locations.ts";
import { models } from "./routes/models.ts";
import { pages } from "./routes/pages.ts";
import { productBulk } from "./routes/product-bulk.ts";
import { products } from "./routes/products.ts";
import { rebuild } from "./routes/rebuild.ts";
import { recalibrations } from "./routes/recalibrations.ts";
import { recommendations } from "./routes/recommendations.ts";
import { tokens } from "./routes/tokens.ts";
import { users } from "./routes/users.ts";

/** The public door, composed: what every request goes through, then the routes. */
export function createApp(ports: Ports): Gateway {
  const app: Gateway = new OpenAPIHono<GatewayContext>({
    defaultHook: (result, c) =>
      result.success
        ? undefined
        : refusalResponse(c, {
            code: "invalid_input",
            detail: `The ${{ json: "body", form: "body", param: "path" }[String(result.target)] ?? result.target} does not have the documented form.`,
            issues: issuesOf(result.error),
          }),
  });
  const authenticator = new Authenticator({ ...ports, keys: ports.store });
  const guard: Guard = (access, bodyBytes, kind = "json") => ({
    security: [{ credential: [access] }],
    middleware: [
      authenticate(authenticator, access),
      // Before the scope: refusals count too.
      limitRate(ports.limiter),
      authorize(access),
      ...(bodyBytes === undefined
        ? []
        : [...(kind === "json" ? [requireJson] : []), receiveBody(bodyBytes, ports.bodyRate)]),
    ],
  });

  app.use(measure(ports.meter, ports.now), securityHeaders, crossOrigin(ports.settings.origins));
  app.use("/v1/*", keepPrivate);
  app.use(methodNotAllowed({ app, onMethodNotAllowed: methodRefusal }));
  app.onError((error, c) => errorResponse(c, error));
  app.notFound((c) => refusalResponse(c, { code: "not_found", detail: "There is nothing at this path." }));

  recommendations(app, ports, guard);
  live(app, ports, guard);
  events(app, ports, guard);
  eventBulk(app, ports, guard);
  productBulk(app, ports, guard);
  products(app, ports, guard);
  images(app, ports, guard);
  discovery(app, ports, guard);
  locations(app, ports, guard);
  users(app, ports, guard);
  models(app, ports, guard);
  recalibrations(app, ports, guard);
  keys(app, ports, guard, authenticator);
  tokens(app, ports, guard);
  imports(app, ports, guard);
  deadLetters(app, ports, guard);
  rebuild(app, ports, guard);
  health(app, ports);
  document(app);
  pages(app, ports);
  return app;
}
