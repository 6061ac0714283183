import { ok, type Result, refuse } from "../../../shared/contracts/result.ts";
import { MalformedImage } from "./bytes.ts";
import { type ImageType, imageTypeOf } from "./image-type.ts";
import { stripAvif } from "./strip-avif.ts";
import { stripJpeg } from "./strip-jpeg.ts";
import { stripPng } from "./strip-png.ts";
import { stripWebp } from "./strip-webp.ts";

/** An image without metadata. */
export interface StrippedImage {
  contentType: ImageType;
  bytes: Uint8Array<ArrayBuffer>;
}

const strip: Record<ImageType, (bytes: Uint8Array) => Uint8Array<ArrayBuffer>> = {
  "image/jpeg": stripJpeg,
  "image/png": stripPng,
  "image/webp": stripWebp,
  "image/avif": stripAvif,
};

/**
 * Returns an image without what its camera or program wrote about it: position, time, device, texts and thumbnails.
 * The pixels are the same, since compressed data is copied and never decoded; color profile and orientation stay.
 * Refuses other content, and files that cannot be read to their end.
 */
export function stripMetadata(bytes: Uint8Array): Result<StrippedImage> {
  const contentType = imageTypeOf(bytes);
  if (!contentType)
    return refuse(
      "unsupported_media_type",
      "The content is not an image. Send a JPEG, PNG, WebP or AVIF file.",
    );
  try {
    return ok({ contentType, bytes: strip[contentType](bytes) });
  } catch (error) {
    if (!(error instanceof MalformedImage)) throw error;
    return refuse("invalid_input", `The image cannot be stored: ${error.message}.`);
  }
}
