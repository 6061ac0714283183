import type { ModelManifest } from "../../shared/contracts/model.ts";
import { sha256OfText } from "../../shared/hash/sha256.ts";

/** Returns a value as JSON with sorted keys, so that equal values give equal texts. */
const canonicalJson = (value: unknown): string =>
  JSON.stringify(value, (_key, each: unknown) =>
    each !== null && typeof each === "object" && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );

/**
 * Returns the identity of a model, as a lowercase hexadecimal SHA-256 of its manifest. The manifest names the SHA-256 of
 * the file, and serving checks the file against it. Two manifests of one file have different identities: the weights of
 * the first stage and the golden vectors are in the manifest.
 */
export const modelIdentity = (manifest: Readonly<ModelManifest>): Promise<string> =>
  sha256OfText(canonicalJson(manifest));
