import { createRoute, z } from "@hono/zod-openapi";
import { unwrap } from "../../../shared/contracts/result.ts";
import { scenario, scenarioDetails, scenarioSettings } from "../../../shared/contracts/scenario.ts";
import { scenarioName } from "../../../shared/contracts/scenario-name.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import { describeAccess } from "../keys/caller.ts";
import {
  type GuardRoute,
  jsonBody,
  jsonResponse,
  kilobytes,
  noQuery,
  problemResponses,
} from "../openapi/operation.ts";

const record = scenario.meta({ id: "Scenario" });
const details = scenarioDetails.meta({ id: "ScenarioDetails" });
const settings = scenarioSettings.meta({ id: "ScenarioSettings" });
const params = z.object({ name: scenarioName });
const service = "the recommendation service";
const tags = ["Scenarios"];
const description = describeAccess("models:manage");

/** The query of a change that may only be checked. */
const validation = z.strictObject({
  validateOnly: z.enum(["true", "false"]).optional().openapi({
    description: "With `true`, the settings are checked and nothing is stored.",
  }),
});

/** The query of a rollback. */
const rollback = z.strictObject({
  version: z
    .string()
    .regex(/^[1-9]\d{0,8}$/, "must be a whole number from 1")
    .transform(Number)
    .optional()
    .openapi({ type: "integer", minimum: 1, description: "The version to serve; the one before if absent." }),
});

/** Adds routes to list, store, roll back and delete scenarios. */
export function addScenarioRoutes(app: Gateway, { services }: Dependencies, guard: GuardRoute): void {
  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/scenarios",
      summary: "List the scenarios that recommendations may name",
      description: `${describeAccess("server")} Ready-made scenarios have no version: \`home\`, \`nearby\`, \`product-page\`, \`cart\`, \`trending\`, \`recently-viewed\`, \`reorder\` and \`email\`.`,
      tags,
      ...guard("server"),
      request: { query: noQuery },
      responses: {
        200: jsonResponse(
          "Scenarios, by name.",
          z.object({ items: z.array(record) }).meta({ id: "Scenarios" }),
        ),
        ...problemResponses,
      },
    }),
    async (c) =>
      c.json(
        { items: unwrap(await services.recommendation.listScenarios(c.var.caller.application), service) },
        200,
      ),
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/scenarios/{name}",
      summary: "Get a scenario with its versions",
      description: describeAccess("server"),
      tags,
      ...guard("server"),
      request: { params, query: noQuery },
      responses: { 200: jsonResponse("The scenario.", details), ...problemResponses },
    }),
    async (c) =>
      c.json(
        unwrap(
          await services.recommendation.getScenario(c.var.caller.application, c.req.valid("param").name),
          service,
        ),
        200,
      ),
  );

  app.openapi(
    createRoute({
      method: "put",
      path: "/v1/scenarios/{name}",
      summary: "Store a scenario: fields of recommendation requests under a name",
      description:
        `${description} The new version serves at once in the isolate that stores it, and within seconds everywhere. Settings that serve already ` +
        "are no new version. A scenario with the name of a ready-made one takes its place. Of each scenario, 50 versions are kept.",
      tags,
      ...guard("models:manage", kilobytes(64)),
      request: { params, query: validation, body: jsonBody(settings) },
      responses: { 200: jsonResponse("The version that serves now.", record), ...problemResponses },
    }),
    async (c) =>
      c.json(
        unwrap(
          await services.recommendation.putScenario(
            c.var.caller.application,
            c.req.valid("param").name,
            c.req.valid("json"),
            c.req.valid("query").validateOnly === "true",
          ),
          service,
        ),
        200,
      ),
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/scenarios/{name}/rollback",
      summary: "Make an earlier version of a scenario serve again",
      description: `${description} The next change of the scenario becomes a new version.`,
      tags,
      ...guard("models:manage"),
      request: { params, query: rollback },
      responses: { 200: jsonResponse("The version that serves now.", record), ...problemResponses },
    }),
    async (c) =>
      c.json(
        unwrap(
          await services.recommendation.rollBackScenario(
            c.var.caller.application,
            c.req.valid("param").name,
            c.req.valid("query").version,
          ),
          service,
        ),
        200,
      ),
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: "/v1/scenarios/{name}",
      summary: "Delete a scenario with all its versions",
      description: `${description} A ready-made scenario of the same name serves again; otherwise requests that name it are refused. Refused with 409 while an experiment compares what serves them.`,
      tags,
      ...guard("models:manage"),
      request: { params, query: noQuery },
      responses: { 204: { description: "Deleted." }, ...problemResponses },
    }),
    async (c) => {
      unwrap(
        await services.recommendation.deleteScenario(c.var.caller.application, c.req.valid("param").name),
        service,
      );
      return c.body(null, 204);
    },
  );
}
