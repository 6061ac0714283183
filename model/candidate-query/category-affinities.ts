import type { Leaning } from "../../shared/contracts/retrieval.ts";
import { hash32 } from "../columns/hash.ts";
import type { Person } from "../profile/profile.ts";

/** What the person chose before, by category. */
export const leaningsTo = (person: Person): Leaning[] =>
  [...person.categories].map(([name, { choices }]) => ({ hash: hash32(name), choices }));
