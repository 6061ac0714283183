/** The methods of an R2 bucket that retention uses. */
export type ExpiringBucket = Pick<R2Bucket, "list" | "delete">;

/**
 * Maximum number of objects that one step removes: the size of a page of `list`, and the limit of one `delete` call.
 */
const maxRemoved = 1000;

/** Returns the first parts of all keys in a bucket: the applications that have objects in it. */
export async function applicationsIn(bucket: {
  list(options: { delimiter: string; cursor?: string }): Promise<{
    delimitedPrefixes: string[];
    truncated: boolean;
    cursor?: string;
  }>;
}): Promise<string[]> {
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
 * Removes up to 1,000 expired objects under a prefix, and returns how many. If the keys are `sortedByAge`, the first
 * page without expired objects ends the scan; otherwise the scan reads all pages.
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
