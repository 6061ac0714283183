/** The methods of the bucket that the lease store calls. */
export type LeaseBucket = Pick<R2Bucket, "get" | "put" | "list">;

const leasePrefix = "~active/";

/** The right of one recalibration to run for an application. */
export interface Lease {
  application: string;
  /** Id of the recalibration that holds the lease. */
  id: string;
  /** Seconds since the Unix epoch. */
  since: number;
}

/**
 * Stores one lease per application in R2, so that one recalibration runs at a time. The object holds the id of the
 * running recalibration and is empty if none runs. Each write depends on the etag that was read: of several concurrent
 * calls, only one acquires the lease.
 */
export class LeaseStore {
  readonly #bucket: LeaseBucket;

  constructor(bucket: LeaseBucket) {
    this.#bucket = bucket;
  }

  /**
   * Acquires the lease if it is free or its holder has ended. Returns the id of the holder afterwards; null if a
   * concurrent call acquired the lease.
   */
  async acquire(
    application: string,
    id: string,
    hasEnded: (holder: string) => Promise<boolean>,
  ): Promise<string | null> {
    const found = await this.#bucket.get(leasePrefix + application);
    const holder = found ? await found.text() : "";
    if (holder !== "" && !(await hasEnded(holder))) return holder;
    const onlyIf = found ? { etagMatches: found.etag } : { etagDoesNotMatch: "*" };
    return (await this.#bucket.put(leasePrefix + application, id, { onlyIf })) ? id : null;
  }

  /** Releases the lease if it still belongs to this recalibration. */
  async release({ application, id }: Lease): Promise<void> {
    const found = await this.#bucket.get(leasePrefix + application);
    if (found === null || (await found.text()) !== id) return;
    await this.#bucket.put(leasePrefix + application, "", { onlyIf: { etagMatches: found.etag } });
  }

  /** Returns all leases that were not released. */
  async list(): Promise<Lease[]> {
    const leases: Lease[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#bucket.list({ prefix: leasePrefix, cursor });
      for (const { key, size, uploaded } of page.objects) {
        if (size === 0) continue;
        const id = await (await this.#bucket.get(key))?.text();
        if (id)
          leases.push({ application: key.slice(leasePrefix.length), id, since: uploaded.getTime() / 1000 });
      }
      cursor = page.truncated ? page.cursor : undefined;
    } while (cursor);
    return leases;
  }
}
