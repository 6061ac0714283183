import { createRoute, z } from "@hono/zod-openapi";
import { imageId, maxImageBytes, storedImage } from "../../../shared/contracts/image.ts";
import { identifier } from "../../../shared/contracts/primitives.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";
import { describeAccess } from "../keys/caller.ts";
import { type GuardRoute, jsonResponse, noQuery, problemResponses } from "../openapi/operation.ts";

const imagePath = z.object({
  id: identifier,
  n: z
    .string()
    .regex(/^\d$/, "must be a whole number from 0 to 9")
    .transform(Number)
    .openapi({ type: "integer", minimum: 0, maximum: 9, param: { name: "n", in: "path" } }),
});
const binary = z.string().openapi({ format: "binary" });
/** OpenAPI content of an image: one entry for each accepted media type. */
const imageContent = Object.fromEntries(
  ["image/jpeg", "image/png", "image/webp", "image/avif"].map((type) => [type, { schema: binary }]),
);
const image = storedImage.meta({ id: "Image", description: "A stored image. Its path is public." });
/**
 * How long browsers may show an image that was deleted meanwhile. Cloudflare's cache never answers for this Worker,
 * which runs before it and does not use it, so nothing else needs a purge.
 */
const maxAgeSeconds = 300;
const tags = ["Images"];

/** Adds routes that store and delete images by product and number, and serve them by a random id. */
export function addImageRoutes(app: Gateway, { services }: Dependencies, guard: GuardRoute): void {
  app.openapi(
    createRoute({
      method: "put",
      path: "/v1/products/{id}/images/{n}",
      summary: "Store the n-th image of a product",
      description:
        `${describeAccess("products:write")} The content must be JPEG, PNG, WebP or a still AVIF; the content type is ignored. ` +
        "Metadata (Exif, XMP, positions, comments, thumbnails) is removed, pixels and orientation stay. The image that was " +
        "there is deleted.",
      tags,
      ...guard("products:write", maxImageBytes, "other"),
      request: {
        params: imagePath,
        query: noQuery,
        body: { required: true, content: imageContent },
      },
      responses: { 200: jsonResponse("Stored.", image), ...problemResponses },
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
      method: "delete",
      path: "/v1/products/{id}/images/{n}",
      summary: "Delete the n-th image of a product",
      description: `${describeAccess("products:write")} Its path answers 404 at once; browsers may show it for five minutes more.`,
      tags,
      ...guard("products:write"),
      request: { params: imagePath, query: noQuery },
      responses: { 204: { description: "Deleted." }, ...problemResponses },
    }),
    async (c) => {
      const { id, n } = c.req.valid("param");
      unwrap(await services.product.deleteImage(c.var.caller.application, id, n), "the product service");
      return c.body(null, 204);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/images/{image}",
      summary: "Get an image by its id",
      description: "Public, until the image is replaced or deleted.",
      tags,
      request: { params: z.object({ image: imageId }), query: noQuery },
      responses: {
        200: { description: "The image.", content: imageContent },
        304: { description: "The client has the image already." },
        ...problemResponses,
      },
    }),
    async (c) => {
      const id = c.req.valid("param").image;
      // An id names one content, so a client that has this ETag has the right bytes.
      const etag = `"${id}"`;
      const isKnown = includesEtag(c.req.header("if-none-match"), etag);
      const { bytes, contentType } = unwrap(
        await services.product.readImage(id, isKnown),
        "the product service",
      );
      const headers = { etag, "cache-control": `public, max-age=${maxAgeSeconds}` };
      return bytes === null
        ? c.body(null, 304, headers)
        : c.body(bytes, 200, { ...headers, "content-type": contentType });
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
