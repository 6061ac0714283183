import { maxImageBytes, type StoredImage } from "../../../shared/contracts/image.ts";
import { ok, type Result, refuse } from "../../../shared/contracts/result.ts";
import { base64urlOf } from "../../../shared/encoding/base64url.ts";
import { sha256Hex } from "../../../shared/hash/sha256.ts";
import { imagePath } from "../rows.ts";
import type { ImageStore } from "./image-store.ts";
import { stripMetadata } from "./strip-metadata.ts";

/**
 * Seconds after which the bytes of an upload are deleted that no product shows: the request died between R2 and D1.
 * Much longer than a request lasts.
 */
const abandonedUploadSeconds = 3600;
/** Maximum number of objects in one deletion: the limit of R2. */
const maxRemovals = 1000;

/** Returns the key of an image in R2. No application is named `~images`. */
const imageKey = (id: string): string => `~images/${id}`;

const noImage = refuse("not_found", "The product has no image at this position.");

/** Reads, stores and deletes product images: their bytes in R2, and where they are shown in D1. */
export class Images {
  readonly #store: ImageStore;
  readonly #bucket: R2Bucket;

  constructor(store: ImageStore, bucket: R2Bucket) {
    this.#store = store;
    this.#bucket = bucket;
  }

  /**
   * Stores an image without its metadata at a position of a product, in place of the image that is there. The same
   * bytes at the same position stay under the same path. `now` is in seconds since the Unix epoch.
   */
  async put(
    application: string,
    productId: string,
    position: number,
    sent: ArrayBuffer,
    now: number,
  ): Promise<Result<StoredImage>> {
    if (sent.byteLength > maxImageBytes)
      return refuse(
        "too_large",
        `The image has ${sent.byteLength} bytes; at most ${maxImageBytes} are allowed.`,
      );
    const stripped = stripMetadata(new Uint8Array(sent));
    if (!stripped.ok) return stripped;
    const { bytes, contentType } = stripped.value;
    const sha256 = await sha256Hex(bytes);
    const present = await this.#store.find(application, productId, position);
    const answer = (id: string) => ok({ path: imagePath(id), contentType, bytes: bytes.length, sha256 });
    if (present?.sha256 === sha256) return answer(present.id);
    const id = base64urlOf(crypto.getRandomValues(new Uint8Array(16)));
    // Scheduled first, so that the bytes do not stay public if this request dies before a product shows them.
    await this.#store.scheduleRemoval(application, id, now + abandonedUploadSeconds);
    await this.#bucket.put(imageKey(id), bytes, { httpMetadata: { contentType } });
    const row = { id, sha256, contentType, bytes: bytes.length };
    if (await this.#store.put(application, productId, position, row, now)) return answer(id);
    await this.#bucket.delete(imageKey(id));
    await this.#store.finishRemovals([id]);
    return refuse("not_found", "There is no product with this id.");
  }

  /** Deletes the image at a position of a product. Its bytes follow with {@link removeDeleted}. */
  async delete(application: string, productId: string, position: number, now: number): Promise<Result<null>> {
    return (await this.#store.delete(application, productId, position, now)) ? ok(null) : noImage;
  }

  /** Returns the path of the image at a position of a product. */
  async path(application: string, productId: string, position: number): Promise<Result<{ path: string }>> {
    const found = await this.#store.find(application, productId, position);
    return found ? ok({ path: imagePath(found.id) }) : noImage;
  }

  /**
   * Returns the bytes and content type of an image by its id; no bytes if `isKnown` says that the client has them.
   * Reads R2 only, so that strangers cause no read of the database.
   */
  async read(
    id: string,
    isKnown: boolean,
  ): Promise<Result<{ bytes: ArrayBuffer | null; contentType: string }>> {
    const body = isKnown ? null : await this.#bucket.get(imageKey(id));
    const object = isKnown ? await this.#bucket.head(imageKey(id)) : body;
    if (!object) return refuse("not_found", "There is no image with this id; it may have been deleted.");
    return ok({
      bytes: body ? await body.arrayBuffer() : null,
      contentType: object.httpMetadata?.contentType ?? "application/octet-stream",
    });
  }

  /** Deletes the bytes of images that were replaced or deleted, or whose upload did not end. May be repeated. */
  async removeDeleted(now: number): Promise<void> {
    const ids = await this.#store.dueRemovals(now, maxRemovals);
    if (ids.length === 0) return;
    await this.#bucket.delete(ids.map(imageKey));
    await this.#store.finishRemovals(ids);
  }
}
