/**
 * Radius in km within which products are local. Farther products are candidates only if fewer than
 * {@link minLocalCandidates} local ones match the query.
 */
export const localRadiusKm = 60;
/** Local candidates after which farther products are left out. */
export const minLocalCandidates = 50;
