/**
 * Tiles that one search reads, at most: each is a read from KV, unless the isolate has cached it. A request may make
 * 1,000 operations on KV (https://developers.cloudflare.com/kv/platform/limits/). A recommendation also reads
 * {@link maxPlacelessTiles}, 40 tiles around each of two usual places, and those of up to 256 products that the user chose.
 */
export const maxTilesPerSearch = 400;
/** Tiles of products without a location that one search reads, at most. */
export const maxPlacelessTiles = 100;
/**
 * Products in the tiles that one search reads, at most, so that the tiles fit the isolate beside its cache: 15 MB of 128.
 * A tile of 4,000 products is about 1 MB.
 */
export const maxRowsPerSearch = 60_000;
/**
 * Tiles that one search reads at the same time. The platform opens six connections of a request at a time and queues the
 * others (https://developers.cloudflare.com/workers/platform/limits/#simultaneous-open-connections).
 */
export const maxConcurrentReads = 48;
/** Radius in km that contains the whole Earth: half of its circumference, rounded up. */
export const wholeEarthKm = 20_038;
