import { createRoute, z } from "@hono/zod-openapi";
import { resultsPlot } from "../../../model/experiments/results-plot.ts";
import {
  experiment,
  experimentInput,
  experimentPath,
  experimentResults,
} from "../../../shared/contracts/experiment.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
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

const record = experiment.meta({ id: "Experiment" });
const input = experimentInput.meta({ id: "ExperimentBody" });
const results = experimentResults.meta({ id: "ExperimentResults" });
const tags = ["Experiments"];
const access = "experiments:manage";
const service = "the recommendation service";

/** Adds routes to define experiments, and to read their results as JSON and as a picture. */
export function addExperimentRoutes(app: Gateway, { services }: Dependencies, guard: GuardRoute): void {
  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/experiments",
      summary: "List the application's experiments, by name",
      description: describeAccess(access),
      tags,
      ...guard(access),
      request: { query: noQuery },
      responses: {
        200: jsonResponse("Experiments.", z.object({ items: z.array(record) })),
        ...problemResponses,
      },
    }),
    async (c) =>
      c.json(
        { items: unwrap(await services.recommendation.listExperiments(c.var.caller.application), service) },
        200,
      ),
  );

  app.openapi(
    createRoute({
      method: "put",
      path: "/v1/experiments/{name}",
      summary: "Define an experiment",
      description:
        `${describeAccess(access)} The parameters of a user's variant replace those of their requests, and its scenario serves instead of the one that they name. Once an experiment has ` +
        "started, only `endsAt` may change; other changes are refused with 409. At most ten experiments run at a time.",
      tags,
      ...guard(access, kilobytes(64)),
      request: { params: experimentPath, query: noQuery, body: jsonBody(input) },
      responses: { 200: jsonResponse("The experiment.", record), ...problemResponses },
    }),
    async (c) =>
      c.json(
        unwrap(
          await services.recommendation.putExperiment(
            c.var.caller.application,
            c.req.valid("param").name,
            c.req.valid("json"),
          ),
          service,
        ),
        200,
      ),
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/experiments/{name}",
      summary: "Get an experiment",
      description: describeAccess(access),
      tags,
      ...guard(access),
      request: { params: experimentPath, query: noQuery },
      responses: { 200: jsonResponse("The experiment.", record), ...problemResponses },
    }),
    async (c) =>
      c.json(
        unwrap(
          await services.recommendation.getExperiment(c.var.caller.application, c.req.valid("param").name),
          service,
        ),
        200,
      ),
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: "/v1/experiments/{name}",
      summary: "Delete an experiment and its results",
      description: `${describeAccess(access)} To stop an experiment and keep its results, set its \`endsAt\` instead.`,
      tags,
      ...guard(access),
      request: { params: experimentPath, query: noQuery },
      responses: { 204: { description: "Deleted." }, ...problemResponses },
    }),
    async (c) => {
      unwrap(
        await services.recommendation.deleteExperiment(c.var.caller.application, c.req.valid("param").name),
        service,
      );
      return c.body(null, 204);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/experiments/{name}/results",
      summary: "Get the results of an experiment so far",
      description:
        `${describeAccess(access)} The intervals are always valid: look as often as you like, and stop when you like. A user ` +
        "counts from the end of the click window of their first list (30 minutes).",
      tags,
      ...guard(access),
      request: { params: experimentPath, query: noQuery },
      responses: { 200: jsonResponse("The results.", results), ...problemResponses },
    }),
    async (c) =>
      c.json(
        unwrap(
          await services.recommendation.experimentResults(
            c.var.caller.application,
            c.req.valid("param").name,
          ),
          service,
        ),
        200,
      ),
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/experiments/{name}/results.svg",
      summary: "Get the results of an experiment as a picture",
      description: `${describeAccess(access)} Differences from the control in percent, with their intervals. The colors follow the reader's light or dark mode.`,
      tags,
      ...guard(access),
      request: { params: experimentPath, query: noQuery },
      responses: {
        200: { description: "The picture.", content: { "image/svg+xml": { schema: z.string() } } },
        ...problemResponses,
      },
    }),
    async (c) => {
      const found = await services.recommendation.experimentResults(
        c.var.caller.application,
        c.req.valid("param").name,
      );
      return c.body(resultsPlot(unwrap(found, service)), 200, {
        "content-type": "image/svg+xml; charset=utf-8",
        "cache-control": "no-store",
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
      });
    },
  );
}
