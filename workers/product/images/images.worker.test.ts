import { createExecutionContext } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import { maxImageBytes } from "../../../shared/contracts/image.ts";
import { cardsOfAnyVersion } from "../../../shared/contracts/product.ts";
import { type Result, unwrap } from "../../../shared/contracts/result.ts";
import { refusalCodeOf } from "../../../shared/testing/refusal-code.ts";
import { ProductService } from "../service.ts";
import { environment, migrate, sampleProduct } from "../testing/environment.ts";
import { latin1 } from "./bytes.ts";
import { ImageStore } from "./image-store.ts";
import { Images } from "./images.ts";
import { jpeg, png, secret, webp } from "./testing/sample-images.ts";

const service = new ProductService(createExecutionContext(), environment);
const value = <T>(result: Result<T>): T => unwrap(result, "the product service");
const now = (): number => Date.now() / 1000;

beforeAll(migrate);

const addProduct = async (application: string, id: string) =>
  value(await service.put(application, sampleProduct({ id })));
const put = async (application: string, productId: string, n: number, bytes: Uint8Array<ArrayBuffer>) =>
  value(await service.putImage(application, productId, n, bytes.buffer));
const idOf = (path: string): string => path.split("/").at(-1) ?? "";
/** Returns the stored image of a path as text; null if it is gone, for clients that have it too. */
async function read(path: string): Promise<string | null> {
  const [stored, known] = await Promise.all([
    service.readImage(idOf(path), false),
    service.readImage(idOf(path), true),
  ]);
  expect(known.ok).toBe(stored.ok);
  if (!stored.ok) return null;
  return latin1(new Uint8Array(stored.value.bytes ?? new ArrayBuffer(0)));
}

describe("images", () => {
  it("S15: are stored without metadata, under a path that names neither application nor product", async () => {
    await addProduct("images-shop", "picture-product");
    const stored = await put("images-shop", "picture-product", 0, jpeg());
    expect(stored).toMatchObject({ contentType: "image/jpeg", bytes: (await read(stored.path))?.length });
    expect(stored.path).toMatch(/^\/v1\/images\/[\w-]{22}$/);
    const text = await read(stored.path);
    expect(text).toContain("quantization");
    expect(text).not.toContain(secret);
    expect(value(await service.imagePath("images-shop", "picture-product", 0)).path).toBe(stored.path);
    expect(value(await service.get("images-shop", "picture-product")).images).toEqual([stored.path]);
    const [card] = value(await service.getCards("images-shop", cardsOfAnyVersion(["picture-product"])));
    expect(card.image).toBe(stored.path);
  });

  it("S15: are gone once they are replaced or deleted, or their product is", async () => {
    await addProduct("gone", "a");
    const [first, second] = [await put("gone", "a", 0, jpeg()), await put("gone", "a", 1, webp())];
    const replacement = await put("gone", "a", 0, png());
    expect([await read(first.path), (await read(second.path))?.length]).toEqual([null, second.bytes]);
    expect(value(await service.get("gone", "a")).images).toEqual([replacement.path, second.path]);
    value(await service.deleteImage("gone", "a", 0));
    expect(await read(replacement.path)).toBeNull();
    expect(refusalCodeOf(await service.deleteImage("gone", "a", 0))).toBe("not_found");
    expect(value(await service.get("gone", "a")).images).toEqual([second.path]);
    value(await service.remove("gone", "a"));
    expect(await read(second.path)).toBeNull();
    await addProduct("gone", "a");
    expect(value(await service.get("gone", "a")).images).toEqual([]);
    expect(await new ImageStore(environment.DB).dueRemovals(now() + 1e6, 10)).toEqual([]);
  });

  it("keep the same bytes of other products and applications, and the path of bytes sent again", async () => {
    for (const [application, id] of [
      ["same", "a"],
      ["same", "b"],
      ["same-other", "a"],
    ])
      await addProduct(application, id);
    const ofA = await put("same", "a", 0, jpeg());
    const [ofB, ofOther] = [await put("same", "b", 0, jpeg()), await put("same-other", "a", 0, jpeg())];
    expect(ofB.sha256).toBe(ofA.sha256);
    expect(new Set([ofA.path, ofB.path, ofOther.path]).size).toBe(3);
    expect(await put("same", "a", 0, jpeg())).toEqual(ofA);
    value(await service.remove("same", "a"));
    expect([
      await read(ofA.path),
      (await read(ofB.path))?.length,
      (await read(ofOther.path))?.length,
    ]).toEqual([null, ofB.bytes, ofOther.bytes]);
  });

  it("S15: do not stay public if the request died before or after the database", async () => {
    await addProduct("died", "a");
    const images = new ImageStore(environment.DB);
    const bucketDown = { ...environment.IMAGES, delete: () => Promise.reject(new Error("down")) };
    const failing = new Images(images, Object.assign(Object.create(environment.IMAGES), bucketDown));
    const stored = await put("died", "a", 0, jpeg());
    value(await failing.delete("died", "a", 0, now()));
    await expect(failing.removeDeleted(now())).rejects.toThrow("down");
    expect(await read(stored.path)).not.toBeNull();
    value(await service.resendOutbox());
    expect(await read(stored.path)).toBeNull();

    const id = "uploadThatDidNotEnd---";
    await images.scheduleRemoval("died", id, now() + 3600);
    await environment.IMAGES.put(`~images/${id}`, "bytes");
    value(await service.resendOutbox());
    expect(await read(id)).toBe("bytes");
    await new Images(images, environment.IMAGES).removeDeleted(now() + 3601);
    expect(await read(id)).toBeNull();
  });

  it("are refused with a reason where they cannot be stored", async () => {
    await addProduct("refused", "a");
    const codeOf = async (bytes: Uint8Array<ArrayBuffer>, productId = "a", n = 0) =>
      refusalCodeOf(await service.putImage("refused", productId, n, bytes.buffer));
    expect(await codeOf(png(), "nothing")).toBe("not_found");
    expect(await codeOf(png(), "a", 10)).toBe("invalid_input");
    expect(await codeOf(png().slice(0, 60))).toBe("invalid_input");
    expect(await codeOf(Uint8Array.from("<svg></svg>  ", (c) => c.charCodeAt(0)))).toBe(
      "unsupported_media_type",
    );
    expect(await codeOf(new Uint8Array(maxImageBytes + 1))).toBe("too_large");
    expect(refusalCodeOf(await service.imagePath("refused", "a", 1))).toBe("not_found");
    expect((await environment.IMAGES.list({ prefix: "~images/" })).objects.length).toBeGreaterThan(0);
    expect(await new ImageStore(environment.DB).dueRemovals(now() + 1e6, 10)).toEqual([]);
  });
});
