import { emptyProfile, type UserProfile } from "./profile.ts";

/** Version of the stored form; grows when an older one can no longer be read as it is. */
const version = 1;

/** A person as bytes: one value in their object's storage, and what crosses RPC. */
export function encodeProfile(profile: UserProfile): Uint8Array {
  const { products, categories, places, transitions: steps, ...rest } = profile;
  return new TextEncoder().encode(
    JSON.stringify({
      version,
      ...rest,
      products: [...products],
      categories: [...categories],
      places: [...places],
      steps: [...steps],
    }),
  );
}

/** The person in bytes that {@link encodeProfile} wrote; someone new where they are of another version. */
export function decodeProfile(bytes: Uint8Array): UserProfile {
  const stored = JSON.parse(new TextDecoder().decode(bytes));
  if (stored.version !== version) return emptyProfile();
  const { version: _, products, categories, places, steps, ...rest } = stored;
  return {
    ...rest,
    products: new Map(products),
    categories: new Map(categories),
    places: new Map(places),
    transitions: new Map(steps),
  };
}
