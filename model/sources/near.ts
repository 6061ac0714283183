import type { Source } from "./source.ts";

/** Popular near where the person is; the world's popular where that is unknown. */
export const near: Source = {
  name: "near",
  find: async ({ places, point, limit, filter, now }) => [
    await places.candidates({ point, limit, filter, now }),
  ],
};
