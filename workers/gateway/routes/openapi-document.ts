import type { Gateway } from "../context.ts";
import { pairLocationParameters } from "../openapi/location-parameters.ts";

/** Adds `/openapi.json`, which is generated once from the schemas that also validate requests. */
export function addOpenApiDocument(app: Gateway): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "credential", {
    type: "http",
    scheme: "bearer",
    description: "An admin key, a server key, a publishable key, or a token for one user.",
  });
  let text: string | null = null;
  app.get("/openapi.json", (c) => {
    text ??= JSON.stringify(
      pairLocationParameters(
        app.getOpenAPI31Document({
          openapi: "3.1.0",
          info: {
            title: "Vicinity",
            version: "1",
            description:
              "Location-aware product recommendations: what should this user see, here, now? Errors are RFC 9457 problems. " +
              "Times are ISO 8601 in UTC, prices are exact decimals in units of their currency, and distances are in kilometers.",
          },
          servers: [{ url: "/" }],
        }),
      ),
    );
    return c.body(text, 200, { "content-type": "application/json" });
  });
}
