import type { Gateway } from "../context.ts";
import { pairLocationParameters } from "../openapi/location-parameters.ts";

/** The API's own description, made once from the schemas that validate. */
export function addOpenApiDocument(app: Gateway): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "credential", {
    type: "http",
    scheme: "bearer",
    description: "An admin key, a client key, or a token for one person.",
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
              "What should this person see, here, now? Errors are RFC 9457; times ISO 8601 in UTC; money in the currency's units; distances km.",
          },
          servers: [{ url: "/" }],
        }),
      ),
    );
    return c.body(text, 200, { "content-type": "application/json" });
  });
}
