import { isFiner } from "../../shared/consent/levels.ts";
import type { Precision } from "../../shared/contracts/primitives.ts";
import { ByteReader } from "./encoding/byte-reader.ts";
import { ByteWriter } from "./encoding/byte-writer.ts";
import { jsonStart, readJsonProfile } from "./encoding/read-json-profile.ts";
import { readProfile, readShown, type StoredProfile } from "./encoding/read-profile.ts";
import { writeProfile, writeShown } from "./encoding/write-profile.ts";
import { emptyProfile, type ReadonlyProfile, type UserProfile } from "./profile.ts";

/**
 * The first byte of an encoded profile: the version of the encoding. Increase it with every change, and go on reading the
 * versions before, since objects have stored them.
 */
const version = 7;
/** The version before, which did not know what lists showed. */
const versionWithoutShown = 6;

/** Encodes a profile for the storage of the user's Durable Object and for RPC. Equal profiles have equal bytes. */
export const encodeProfile = (profile: ReadonlyProfile): Uint8Array<ArrayBuffer> =>
  writeProfile(profile, version);

/** Encodes only which products lists showed: it changes with each list, and the rest of a profile seldom. */
export function encodeShown(profile: Pick<ReadonlyProfile, "shown" | "shownUntil">): Uint8Array<ArrayBuffer> {
  const to = new ByteWriter();
  writeShown(to, profile);
  return to.finish(version);
}

/** Decodes the bytes of {@link encodeShown}. Throws an error for bytes of another version, or that are cut off. */
export function decodeShown(bytes: Uint8Array): Pick<UserProfile, "shown" | "shownUntil"> {
  if (bytes[0] !== version)
    throw new RangeError(`Expected version ${version} of what was shown; got ${bytes[0]}.`);
  const from = new ByteReader(bytes);
  const shown = readShown(from);
  from.end();
  return shown;
}

/**
 * Decodes the bytes of {@link encodeProfile}; no bytes decode to an empty profile. The consent that counts is the stated
 * one, else `defaultConsent`. Bytes of version 6, and of 4 and 5, which were JSON, are read too, so that no stated
 * consent is lost. Bytes of another version decode to an empty profile. Throws an error for bytes that are cut off.
 */
export function decodeProfile(bytes: Uint8Array, defaultConsent: Precision): UserProfile {
  const stored = bytes.byteLength === 0 ? null : readAnyVersion(bytes);
  if (stored === null) return emptyProfile(defaultConsent);
  const precision: Precision = stored.statedPrecision ?? defaultConsent;
  return {
    ...stored,
    precision,
    // A default that has become finer allows finer data from now on.
    finestStored: isFiner(precision, stored.finestStored) ? precision : stored.finestStored,
  };
}

/** Returns the profile in the bytes of any version that is known; null for another one. */
function readAnyVersion(bytes: Uint8Array): StoredProfile | null {
  switch (bytes[0]) {
    case version:
    case versionWithoutShown:
      return readProfile(bytes);
    case jsonStart:
      return readJsonProfile(bytes);
    default:
      return null;
  }
}
