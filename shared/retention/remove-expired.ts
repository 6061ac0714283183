/** The part of a bucket that is used. */
export type ExpiringBucket = Pick<R2Bucket, "list" | "delete">;

/** Objects that one step removes at most: one page, which one call deletes. */
const maxRemoved = 1000;

/** The applications that have objects in a bucket: the first parts of its keys that are names of applications. */
export async function applicationsIn(bucket: ExpiringBucket): Promise<string[]> {
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await bucket.list({ delimiter: "/", cursor });
    names.push(...page.delimitedPrefixes.map((prefix) => prefix.slice(0, -1)));
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor);
  return names;
}

/**
 * Removes up to a thousand objects under a prefix that are over, and answers how many. Where keys are `sorted` by age, a
 * page without any ends it; else all are looked at.
 */
export async function removeExpired(
  bucket: ExpiringBucket,
  prefix: string,
  isExpired: (object: Pick<R2Object, "key" | "uploaded">) => boolean,
  sortedByAge: boolean,
): Promise<number> {
  let cursor: string | undefined;
  do {
    const page = await bucket.list({ prefix, cursor });
    const expired = page.objects.filter(isExpired).slice(0, maxRemoved);
    if (expired.length > 0) {
      await bucket.delete(expired.map(({ key }) => key));
      return expired.length;
    }
    cursor = page.truncated && !sortedByAge ? page.cursor : undefined;
  } while (cursor);
  return 0;
}
