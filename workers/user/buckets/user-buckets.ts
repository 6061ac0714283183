import { hash53 } from "../../../model/columns/hash.ts";

/**
 * Number of buckets of a deployment. A deployment that spread its users over a number of databases that does not divide
 * it has the least common multiple.
 */
export const usualBucketCount = 256;

const greatestCommonDivisor = (a: number, b: number): number =>
  b === 0 ? a : greatestCommonDivisor(b, a % b);

/**
 * Returns the number of buckets of a deployment whose users were in `databases` databases, by the rest of their hash, when
 * it made its buckets: all users of a bucket were in one database, of the number `bucket % databases`.
 */
export const bucketCountOf = (databases: number): number =>
  (usualBucketCount * databases) / greatestCommonDivisor(usualBucketCount, databases);

/** Returns the bucket of a user, from 0. */
export const bucketOf = (application: string, userId: string, bucketCount: number): number =>
  hash53(`${application}:${userId}`) % bucketCount;

/** The first and the last number that users of a bucket may have. */
export interface NumberRange {
  first: number;
  last: number;
}

/** Returns the numbers of a bucket's users: signed integers of 32 bits, which SQLite stores in four bytes. */
export function numbersOf(bucket: number, bucketCount: number): NumberRange {
  const count = Math.floor(2 ** 32 / bucketCount);
  const first = bucket * count - 2 ** 31;
  return { first, last: first + count - 1 };
}
