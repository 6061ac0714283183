import { base64urlOf, bytesOfBase64url } from "../encoding/base64url.ts";
import { bytesOfHex, hexOf } from "../encoding/hex.ts";
import type { PseudonymKeys } from "./pseudonym-keys.ts";

/** What an id names in the API. An id of one kind is not accepted as an id of another. */
export type SealedIdKind = "recommendation" | "erasure" | "merge" | "coarsening";

/** The application and kind that an id is bound to. */
export interface SealedIdScope {
  application: string;
  kind: SealedIdKind;
}

const nonceBytes = 12;
const objectIdBytes = 32;
const tagBytes = 16;
/** 60 bytes are 80 characters of base64url, without spare bits: each id has one text. */
const sealedText = new RegExp(`^[A-Za-z0-9_-]{${((nonceBytes + objectIdBytes + tagBytes) * 4) / 3}}$`);

const algorithmOf = ({ application, kind }: SealedIdScope, nonce: Uint8Array<ArrayBuffer>) => ({
  name: "AES-GCM",
  iv: nonce,
  additionalData: new TextEncoder().encode(`${kind}:${application}`),
  tagLength: tagBytes * 8,
});

/**
 * Returns a new id, 80 characters of base64url, that leads to a user's object only with the keys. Two ids of one user
 * have nothing in common. `objectId` is the id of the Durable Object in hexadecimal.
 */
export async function sealObjectId(
  { objectId: key }: PseudonymKeys,
  scope: SealedIdScope,
  objectId: string,
): Promise<string> {
  const nonce = crypto.getRandomValues(new Uint8Array(nonceBytes));
  const sealed = new Uint8Array(
    await crypto.subtle.encrypt(algorithmOf(scope, nonce), key, bytesOfHex(objectId)),
  );
  const bytes = new Uint8Array(nonceBytes + sealed.byteLength);
  bytes.set(nonce);
  bytes.set(sealed, nonceBytes);
  return base64urlOf(bytes);
}

/**
 * Returns the object id that {@link sealObjectId} sealed, in hexadecimal. Returns null for any other text: altered,
 * invented, of another application or of another kind.
 */
export async function openObjectId(
  { objectId: key }: PseudonymKeys,
  scope: SealedIdScope,
  id: string,
): Promise<string | null> {
  if (!sealedText.test(id)) return null;
  const bytes = bytesOfBase64url(id);
  try {
    const opened = await crypto.subtle.decrypt(
      algorithmOf(scope, bytes.slice(0, nonceBytes)),
      key,
      bytes.slice(nonceBytes),
    );
    return hexOf(new Uint8Array(opened));
  } catch (error) {
    // The tag does not match.
    if (error instanceof DOMException && error.name === "OperationError") return null;
    throw error;
  }
}
