import type { Dataset } from "../../data/dataset.ts";
import type { ChoicesByUser, Question } from "./user-choices.ts";

/** Returns the number of choices of each item, by item index. */
export function choiceCounts(dataset: Dataset, past: ChoicesByUser): Float64Array {
  const counts = new Float64Array(dataset.items.size);
  for (const { items } of past.all().values()) for (const item of items) counts[item]++;
  return counts;
}

/** Returns the popularity of each item, above 0 and at most 1: log(2 + choices) relative to the most chosen item. */
export function popularityByItem(dataset: Dataset, past: ChoicesByUser): Float64Array {
  const counts = choiceCounts(dataset, past);
  const largest = counts.reduce((a, b) => Math.max(a, b), 0);
  return counts.map((count) => Math.log(2 + count) / Math.log(2 + largest));
}

/** Length of one degree of latitude in km. */
const degreeKm = 111.195;
const radians = Math.PI / 180;

/** Returns what adds popularity, divided by one plus the kilometers from the user's last location. */
export function popularityNear(
  dataset: Dataset,
  popularity: Float64Array,
): (scores: Float64Array, question: Question, scale: number) => void {
  const lats = Float64Array.from(dataset.items.values(), ({ lat }) => lat ?? Number.NaN);
  const lons = Float64Array.from(dataset.items.values(), ({ lon }) => lon ?? Number.NaN);
  return (scores, { choices, count }, scale) => {
    const from = choices.places[count - 1];
    if (scale === 0) return;
    if (!from) {
      for (let i = 0; i < scores.length; i++) scores[i] += scale * popularity[i];
      return;
    }
    // A flat map is exact enough for an order of products, and ten times as fast as great circles.
    const lonScale = Math.cos(from.lat * radians);
    for (let i = 0; i < scores.length; i++) {
      const north = lats[i] - from.lat;
      const east = ((((lons[i] - from.lon + 540) % 360) + 360) % 360) - 180;
      const km = degreeKm * Math.sqrt(north * north + east * east * lonScale * lonScale);
      // An item without a location is nowhere near: it gets nothing.
      if (km >= 0) scores[i] += (scale * popularity[i]) / (1 + km);
    }
  };
}
