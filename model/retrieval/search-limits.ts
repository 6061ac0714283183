/**
 * Tiles that one search reads, at most: each is a read from KV that the isolate has not cached. A Worker may make 10,000
 * such reads for a request, or as many as its `limits.subrequests` says, and keeps six open at a time
 * (https://developers.cloudflare.com/workers/platform/limits/).
 */
export const maxTilesPerSearch = 400;
/** Tiles that one search reads at the same time. */
export const maxConcurrentReads = 8;
/** Radius in km that contains the whole Earth: half of its circumference, rounded up. */
export const wholeEarthKm = 20_038;
