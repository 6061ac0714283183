import type { Source } from "./source.ts";
import { usualPlaces } from "./usual.ts";

/**
 * What is near where the person is and where they usually are, popular or new: the first stage's cut of all that is
 * there. The world's popular where nothing is known of where they are.
 */
export const near: Source = {
  name: "near",
  find: async ({ person, places, point, limit, filter, now, firstStage }) => [
    await places.candidates({
      point,
      usual: usualPlaces(person, now),
      limit,
      filter,
      now,
      weights: firstStage,
    }),
  ],
};
