import { emptyProfile, type UserProfile } from "./profile.ts";

/** Version of the encoding. Increase it with every change after which older bytes cannot be decoded. */
const version = 4;

/** Encodes a profile for the storage of the user's Durable Object and for RPC. */
export function encodeProfile(profile: UserProfile): Uint8Array {
  const { products, dismissed, purchased, categories, places, transitions, ...rest } = profile;
  return new TextEncoder().encode(
    JSON.stringify({
      version,
      ...rest,
      products: [...products],
      dismissed: [...dismissed],
      purchased: [...purchased],
      categories: [...categories],
      places: [...places],
      transitions: [...transitions],
    }),
  );
}

/** Decodes the bytes of {@link encodeProfile}. Bytes of another version decode to an empty profile. */
export function decodeProfile(bytes: Uint8Array): UserProfile {
  const stored = JSON.parse(new TextDecoder().decode(bytes));
  if (stored.version !== version) return emptyProfile();
  const { version: _, products, dismissed, purchased, categories, places, transitions, ...rest } = stored;
  return {
    ...rest,
    // Profiles of earlier versions have none.
    unconfirmedLocation: rest.unconfirmedLocation ?? null,
    products: new Map(products),
    dismissed: new Map(dismissed),
    purchased: new Map(purchased),
    categories: new Map(categories),
    places: new Map(places),
    transitions: new Map(transitions),
  };
}
