import { newPerson, type Person } from "./profile.ts";

/** Version of the stored form; grows when an older one can no longer be read as it is. */
const version = 1;

/** A person as bytes: one value in their object's storage, and what crosses RPC. */
export function encodePerson(person: Person): Uint8Array {
  const { products, categories, places, steps, ...rest } = person;
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

/** The person in bytes that {@link encodePerson} wrote; someone new where they are of another version. */
export function decodePerson(bytes: Uint8Array): Person {
  const stored = JSON.parse(new TextDecoder().decode(bytes));
  if (stored.version !== version) return newPerson();
  const { version: _, products, categories, places, steps, ...rest } = stored;
  return {
    ...rest,
    products: new Map(products),
    categories: new Map(categories),
    places: new Map(places),
    steps: new Map(steps),
  };
}
