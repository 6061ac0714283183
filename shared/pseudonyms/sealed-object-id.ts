import { bytesOfHex, hexOf } from "../encoding/hex.ts";
import type { PseudonymKeys } from "./pseudonym-keys.ts";
import { seal, sealBytes, unseal } from "./sealed-bytes.ts";

/** What an id names in the API. An id of one kind is not accepted as an id of another. */
export type SealedIdKind = "recommendation" | "erasure" | "merge" | "coarsening";

/** The application and kind that an id is bound to. */
export interface SealedIdScope {
  application: string;
  kind: SealedIdKind;
}

const objectIdBytes = 32;
/** 60 bytes are 80 characters of base64url, without spare bits: each id has one text. */
const sealedText = new RegExp(`^[A-Za-z0-9_-]{${((objectIdBytes + sealBytes) * 4) / 3}}$`);

const purposeOf = ({ application, kind }: SealedIdScope): string => `${kind}:${application}`;

/**
 * Returns a new id, 80 characters of base64url, that leads to a user's object only with the keys. Two ids of one user
 * have nothing in common. `objectId` is the id of the Durable Object in hexadecimal.
 */
export const sealObjectId = (
  { objectId: key }: PseudonymKeys,
  scope: SealedIdScope,
  objectId: string,
): Promise<string> => seal(key, purposeOf(scope), bytesOfHex(objectId));

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
  const opened = await unseal(key, purposeOf(scope), id);
  return opened && hexOf(opened);
}
