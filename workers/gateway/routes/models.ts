import { createRoute, z } from "@hono/zod-openapi";
import { modelDetails, modelManifest, modelRecord } from "../../../shared/contracts/model.ts";
import { parseUnknown, unwrap } from "../../../shared/contracts/result.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";
import { describeAccess } from "../keys/caller.ts";
import {
  type GuardRoute,
  jsonResponse,
  kilobytes,
  megabytes,
  noQuery,
  problemResponses,
} from "../openapi/operation.ts";
import { exceedsNestingDepth, maxNestingDepth } from "../request/nesting-depth.ts";
import { unknownFields } from "../request/unknown-fields.ts";

/** A manifest with its golden vectors has about 6 KiB. */
const maxManifestBytes = kilobytes(512);
const record = modelRecord.meta({ id: "Model" });
const details = modelDetails.meta({ id: "ModelDetails" });
const versionPath = z.object({ version: modelManifest.shape.version });
const file = z.instanceof(File, { message: "must be a file" });
const upload = z.strictObject({
  manifest: z
    .union([z.string(), file], { error: "must be the manifest as text or as a file" })
    .openapi({ type: "string", description: "The manifest, as JSON.", maxLength: maxManifestBytes }),
  model: file.openapi({ type: "string", format: "binary", description: "The ONNX file." }),
});
const description = describeAccess("models:manage");
const tags = ["Models"];

const mismatch = "The manifest does not match its schema; see `errors`.";

/**
 * Returns the manifest of an upload. Refuses a manifest that is too large, is not JSON or does not match the schema.
 */
async function parseManifest(part: string | File) {
  const refuse = (message: string) =>
    throwRefusal("invalid_input", `The manifest ${message}.`, { issues: [{ path: "manifest", message }] });
  const size = typeof part === "string" ? part.length : part.size;
  if (size > maxManifestBytes) refuse(`is larger than ${maxManifestBytes} bytes`);
  const text = typeof part === "string" ? part : await part.text();
  if (exceedsNestingDepth(text)) refuse(`nests deeper than ${maxNestingDepth} levels`);
  let manifest: unknown;
  try {
    manifest = JSON.parse(text);
  } catch {
    refuse("is not JSON");
  }
  const parsed = parseUnknown(modelManifest, manifest);
  if (!parsed.ok)
    throwRefusal("invalid_input", mismatch, {
      issues: parsed.error.issues?.map(({ path, message }) => ({
        path: path ? `manifest.${path}` : "manifest",
        message,
      })),
    });
  const unknown = unknownFields(manifest, parsed.value).map((path) => ({
    path: `manifest.${path}`,
    message: "is not a known field",
  }));
  if (unknown.length > 0) throwRefusal("invalid_input", mismatch, { issues: unknown });
  return parsed.value;
}

/** Adds routes to list, register, promote and roll back models. */
export function addModelRoutes(app: Gateway, { services }: Dependencies, guard: GuardRoute): void {
  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/models",
      summary: "List the application's models",
      description:
        `${description} The last one is the model that is deployed with the code, with the origin \`deployment\`. It serves ` +
        "while no registered model does.",
      tags,
      ...guard("models:manage"),
      request: { query: noQuery },
      responses: { 200: jsonResponse("Models.", z.object({ items: z.array(record) })), ...problemResponses },
    }),
    async (c) =>
      c.json(
        {
          items: unwrap(
            await services.recommendation.listModels(c.var.caller.application),
            "the recommendation service",
          ),
        },
        200,
      ),
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/models/{version}",
      summary: "Get a model version: its manifest, its rollout and its status changes",
      description,
      tags,
      ...guard("models:manage"),
      request: { params: versionPath, query: noQuery },
      responses: { 200: jsonResponse("The version.", details), ...problemResponses },
    }),
    async (c) =>
      c.json(
        unwrap(
          await services.recommendation.getModel(c.var.caller.application, c.req.valid("param").version),
          "the recommendation service",
        ),
        200,
      ),
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/models",
      summary: "Register a model: its manifest and its ONNX file",
      description:
        `${description} A file has at most 8 MB, supported operators only, and bounded sizes and multiply-adds for 500 candidates; ` +
        "the guide on models lists them. An application uploads two models at once, and 60 in an hour. " +
        "Its first model serves at once. A later model runs as a shadow, then as a canary, and " +
        "serves all users unless the canary is worse than the control.",
      tags,
      ...guard("models:manage", megabytes(9), "other"),
      request: {
        query: noQuery,
        body: { required: true, content: { "multipart/form-data": { schema: upload } } },
      },
      responses: { 201: jsonResponse("Registered.", record), ...problemResponses },
    }),
    async (c) => {
      const { manifest, model } = c.req.valid("form");
      return c.json(
        unwrap(
          await services.recommendation.registerModel(
            c.var.caller.application,
            await parseManifest(manifest),
            await model.arrayBuffer(),
          ),
          "the recommendation service",
        ),
        201,
      );
    },
  );

  for (const action of ["promote", "rollback"] as const)
    app.openapi(
      createRoute({
        method: "post",
        path: `/v1/models/{version}/${action}`,
        summary:
          action === "promote"
            ? "Make a version serve now"
            : "Stop the rollout of a version, or replace a serving version by the one that served before",
        description:
          action === "promote"
            ? `${description} Also for the model that is deployed with the code.`
            : `${description} The model that is deployed with the code serves if no other version served before. It cannot be rolled back itself unless another version served before it.`,
        tags,
        ...guard("models:manage"),
        request: { params: versionPath, query: noQuery },
        responses: {
          200: jsonResponse(
            "The version that serves now, or whose rollout stopped, or that the deployed model replaces.",
            record,
          ),
          ...problemResponses,
        },
      }),
      async (c) =>
        c.json(
          unwrap(
            await services.recommendation[action](c.var.caller.application, c.req.valid("param").version),
            "the recommendation service",
          ),
          200,
        ),
    );
}
