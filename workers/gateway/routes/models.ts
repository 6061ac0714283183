import { createRoute, z } from "@hono/zod-openapi";
import { modelDetails, modelManifest, modelRecord } from "../../../shared/contracts/model.ts";
import { parse, unwrap } from "../../../shared/contracts/result.ts";
import type { Gateway } from "../context.ts";
import { deny } from "../errors/deny.ts";
import { type Guard, json, kilobytes, megabytes, noQuery, refusals } from "../openapi/operation.ts";
import type { Ports } from "../ports.ts";
import { nestsBeyond } from "../request/nesting.ts";
import { unknownFields } from "../request/unknown-fields.ts";

/** Fifty times what a manifest with its golden vectors takes. */
const manifestBytes = kilobytes(512);
const record = modelRecord.meta({ id: "Model" });
const details = modelDetails.meta({ id: "ModelDetails" });
const versionPath = z.object({ version: modelManifest.shape.version });
const file = z.instanceof(File, { message: "must be a file" });
const upload = z.strictObject({
  manifest: z
    .union([z.string(), file], { error: "must be the manifest, as text or as a file" })
    .openapi({ type: "string", description: "The manifest, as JSON.", maxLength: manifestBytes }),
  model: file.openapi({ type: "string", format: "binary", description: "The ONNX file." }),
});
const tags = ["Models"];

/** The manifest of an upload. */
async function manifestOf(part: string | File) {
  const refuse = (message: string) =>
    deny("invalid_input", `The manifest ${message}.`, { issues: [{ path: "manifest", message }] });
  const size = typeof part === "string" ? part.length : part.size;
  if (size > manifestBytes) refuse(`is longer than ${manifestBytes}`);
  const text = typeof part === "string" ? part : await part.text();
  if (nestsBeyond(text)) refuse("nests too deep");
  let manifest: unknown;
  try {
    manifest = JSON.parse(text);
  } catch {
    refuse("is not JSON");
  }
  const parsed = parse(modelManifest, manifest);
  if (!parsed.ok)
    deny("invalid_input", "The manifest does not have the documented form.", {
      issues: parsed.error.issues?.map(({ path, message }) => ({
        path: path ? `manifest.${path}` : "manifest",
        message,
      })),
    });
  const unknown = unknownFields(manifest, parsed.value).map((path) => ({
    path: `manifest.${path}`,
    message: "is not a known field",
  }));
  if (unknown.length > 0)
    deny("invalid_input", "The manifest does not have the documented form.", { issues: unknown });
  return parsed.value;
}

/** The registry of models. */
export function models(app: Gateway, { services }: Ports, guard: Guard): void {
  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/models",
      summary: "Models of the application",
      description: "Admin, or a client key with models:manage.",
      tags,
      ...guard("models:manage"),
      request: { query: noQuery },
      responses: { 200: json("Models.", z.object({ items: z.array(record) })), ...refusals },
    }),
    async (c) =>
      c.json(
        {
          items: unwrap(
            await services.recommendation.models(c.var.caller.application),
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
      summary: "A version: its manifest, its way into service, its changes",
      description: "Admin, or a client key with models:manage.",
      tags,
      ...guard("models:manage"),
      request: { params: versionPath, query: noQuery },
      responses: { 200: json("The version.", details), ...refusals },
    }),
    async (c) =>
      c.json(
        unwrap(
          await services.recommendation.model(c.var.caller.application, c.req.valid("param").version),
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
        "Admin, or a client key with models:manage. An application's first model serves at once; a later one goes through shadow and canary, and serves once its outcomes allow it.",
      tags,
      ...guard("models:manage", megabytes(24), "other"),
      request: {
        query: noQuery,
        body: { required: true, content: { "multipart/form-data": { schema: upload } } },
      },
      responses: { 201: json("Registered.", record), ...refusals },
    }),
    async (c) => {
      const { manifest, model } = c.req.valid("form");
      return c.json(
        unwrap(
          await services.recommendation.registerModel(
            c.var.caller.application,
            await manifestOf(manifest),
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
            ? "Let a version serve"
            : "End a version that is on its way, or go back from one that serves to what served before",
        description: "Admin, or a client key with models:manage.",
        tags,
        ...guard("models:manage"),
        request: { params: versionPath, query: noQuery },
        responses: { 200: json("The version that serves now, or that was ended.", record), ...refusals },
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
