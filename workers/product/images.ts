import { ok, type Result, refuse } from "../../shared/contracts/result.ts";
import { sha256Hex } from "../../shared/hash/sha256.ts";
import { imageTypeOf } from "./image-type.ts";
import { imagePath } from "./rows.ts";
import type { ProductStore } from "./store.ts";

/** Maximum size of an image in bytes. */
export const maxImageBytes = 5 * 1024 * 1024;
/** Last position of a product's images; the first is 0. */
export const lastImagePosition = 9;

const imageKey = (application: string, sha256: string): string => `${application}/images/${sha256}`;

/** Stores an image in R2 under its SHA-256, and its position in D1. The product must exist. */
export async function putImage(
  store: ProductStore,
  bucket: R2Bucket,
  application: string,
  productId: string,
  position: number,
  bytes: ArrayBuffer,
  now: number,
): Promise<Result<{ path: string; sha256: string; contentType: string }>> {
  if (bytes.byteLength > maxImageBytes)
    return refuse(
      "too_large",
      `The image has ${bytes.byteLength} bytes; at most ${maxImageBytes} are allowed.`,
    );
  const contentType = imageTypeOf(new Uint8Array(bytes));
  if (!contentType)
    return refuse(
      "unsupported_media_type",
      "The content is not an image. Send a JPEG, PNG, WebP or AVIF file.",
    );
  const [stored] = await store.read(application, [productId]);
  if (!stored || stored.row.deleted === 1) return refuse("not_found", "There is no product with this id.");
  const sha256 = await sha256Hex(bytes);
  await bucket.put(imageKey(application, sha256), bytes, { httpMetadata: { contentType } });
  await store.putImage(
    application,
    productId,
    { position, sha256, contentType, bytes: bytes.byteLength },
    now,
  );
  return ok({ path: imagePath(application, sha256), sha256, contentType });
}

/** Returns the bytes and content type of an image by its SHA-256. */
export async function imageBytes(
  bucket: R2Bucket,
  application: string,
  sha256: string,
): Promise<Result<{ bytes: ArrayBuffer; contentType: string }>> {
  const object = await bucket.get(imageKey(application, sha256));
  if (!object) return refuse("not_found", "There is no image with this hash.");
  return ok({
    bytes: await object.arrayBuffer(),
    contentType: object.httpMetadata?.contentType ?? "application/octet-stream",
  });
}
