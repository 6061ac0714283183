import { leaningsTo } from "./leanings.ts";
import type { Source } from "./source.ts";
import { usualPlaces } from "./usual.ts";

/**
 * What is near where the person is and where they usually are, popular or new, and like what they chose before and what
 * is chosen at this hour: the first stage's cut of all that is there. The world's popular where nothing is known of where they are.
 */
export const near: Source = {
  name: "near",
  find: async ({ person, places, point, limit, filter, now, hour, firstStage }) => [
    await places.candidates({
      point,
      usual: usualPlaces(person, now),
      categories: leaningsTo(person),
      hour,
      limit,
      filter,
      now,
      weights: firstStage,
    }),
  ],
};
