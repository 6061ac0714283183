/**
 * Farther products than this are not "here", in km, however much the person likes them, as long as there are enough
 * within it.
 */
export const reachKm = 60;
/** So many within reach are enough. */
export const enoughNear = 50;
