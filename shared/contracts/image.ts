import * as z from "zod";

/** Maximum size of a product image in bytes: 5 MiB, as sent. */
export const maxImageBytes = 5 * 1024 * 1024;
/** Last position of a product's images; the first is 0. */
export const lastImagePosition = 9;

/** Id of a stored image: 128 random bits in base64url. It names neither the application nor the product. */
export const imageId = z.string().regex(/^[A-Za-z0-9_-]{22}$/, "must be the id of an image: 22 characters");

/** What the API returns of a stored image. */
export const storedImage = z.object({
  /** Public path of the image, until it is replaced or deleted. */
  path: z.string(),
  contentType: z.string(),
  /** Size of the stored image in bytes, without metadata. */
  bytes: z.number().int(),
  /** SHA-256 of the stored image in lower-case hex. */
  sha256: z.string(),
});
export type StoredImage = z.infer<typeof storedImage>;
