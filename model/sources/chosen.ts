import type { Person } from "../person/person.ts";
import type { Source } from "./source.ts";

/** Products asked for: the rest of what is remembered is too old and too rare to come back. */
const most = 256;

/** The products that the person is most likely to come back to, by log frequency and recency, with their cells. */
export function wanted(person: Person, now: number): { productId: string; cell: string }[] {
  const worth = [...person.products]
    .filter(([, memory]) => memory.cell !== null && memory.choices > 0)
    .map(([productId, memory]) => ({
      productId,
      cell: memory.cell ?? "",
      worth: Math.log1p(memory.choices) - Math.log1p(Math.max(0, now - memory.last) / 86_400),
    }));
  return worth
    .sort((a, b) => b.worth - a.worth)
    .slice(0, most)
    .map(({ productId, cell }) => ({ productId, cell }));
}

/** What the person chose before. */
export const chosen: Source = {
  name: "chosen",
  async find({ person, places, now }) {
    const list = wanted(person, now);
    return list.length > 0 ? [await places.columns(list)] : [];
  },
};
