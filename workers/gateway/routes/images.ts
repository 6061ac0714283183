import { createRoute, z } from "@hono/zod-openapi";
import { applicationName, identifier } from "../../../shared/contracts/primitives.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";
import { describeAccess } from "../keys/caller.ts";
import { type GuardRoute, jsonResponse, megabytes, noQuery, problemResponses } from "../openapi/operation.ts";

const imagePath = z.object({
  id: identifier,
  n: z
    .string()
    .regex(/^\d$/, "must be a whole number from 0 to 9")
    .transform(Number)
    .openapi({ type: "integer", minimum: 0, maximum: 9, param: { name: "n", in: "path" } }),
});
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "must be a sha256 in lower-case hex");
const binary = z.string().openapi({ format: "binary" });
/** OpenAPI content of an image: one entry for each accepted media type. */
const imageContent = Object.fromEntries(
  ["image/jpeg", "image/png", "image/webp", "image/avif"].map((type) => [type, { schema: binary }]),
);
const storedImage = z
  .object({ path: z.string(), sha256, contentType: z.string() })
  .openapi("Image", { description: "The permanent path of an image." });
const tags = ["Images"];

/** Adds routes that store images by product and number, and serve them by the hash of their content. */
export function addImageRoutes(app: Gateway, { services }: Dependencies, guard: GuardRoute): void {
  app.openapi(
    createRoute({
      method: "put",
      path: "/v1/products/{id}/images/{n}",
      summary: "Store the n-th image of a product",
      description: `${describeAccess("products:write")} The content must be JPEG, PNG, WebP or AVIF; the content type is ignored.`,
      tags,
      ...guard("products:write", megabytes(10), "other"),
      request: {
        params: imagePath,
        query: noQuery,
        body: { required: true, content: imageContent },
      },
      responses: { 200: jsonResponse("Stored.", storedImage), ...problemResponses },
    }),
    async (c) => {
      const { id, n } = c.req.valid("param");
      const bytes = await c.req.arrayBuffer();
      if (bytes.byteLength === 0)
        throwRefusal("invalid_input", "The body is empty; send the bytes of an image.");
      return c.json(
        unwrap(
          await services.product.putImage(c.var.caller.application, id, n, bytes),
          "the product service",
        ),
        200,
      );
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/products/{id}/images/{n}",
      summary: "Redirect to the n-th image of a product",
      description: describeAccess("anyone"),
      tags,
      ...guard("anyone"),
      request: { params: imagePath, query: noQuery },
      responses: { 302: { description: "Redirects to the image." }, ...problemResponses },
    }),
    async (c) => {
      const { id, n } = c.req.valid("param");
      const { path } = unwrap(
        await services.product.imagePath(c.var.caller.application, id, n),
        "the product service",
      );
      return c.redirect(path, 302);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/images/{application}/{sha256}",
      summary: "Get an image by the hash of its content",
      description: "Public. The image never changes.",
      tags,
      request: { params: z.object({ application: applicationName, sha256 }), query: noQuery },
      responses: {
        200: { description: "The image.", content: imageContent },
        304: { description: "The client has the image already." },
        ...problemResponses,
      },
    }),
    async (c) => {
      const { application, sha256: hash } = c.req.valid("param");
      const etag = `"${hash}"`;
      const headers = { etag, "cache-control": "public, max-age=31536000, immutable" };
      // The path is a hash of the content, so a client that has this ETag has the right bytes.
      if (includesEtag(c.req.header("if-none-match"), etag)) return c.body(null, 304, headers);
      const { bytes, contentType } = unwrap(
        await services.product.imageBytes(application, hash),
        "the product service",
      );
      return c.body(bytes, 200, { ...headers, "content-type": contentType });
    },
  );
}

/** Returns whether an `If-None-Match` header contains the ETag, by weak comparison as RFC 9110 requires. */
function includesEtag(header: string | undefined, etag: string): boolean {
  return (header ?? "")
    .split(",")
    .map((tag) => tag.trim().replace(/^W\//, ""))
    .includes(etag);
}
