/** The part of the bucket that is used. */
export type LeaseBucket = Pick<R2Bucket, "get" | "put" | "list">;

const root = "~active/";

/** Whose turn it is, and since when, in seconds since the epoch. */
export interface Lease {
  application: string;
  id: string;
  since: number;
}

/**
 * Whose turn it is to recalibrate an application: an object of R2 for each, which names the recalibration that runs and is
 * empty where none does. It is written only where it is still what was read, so that of several who ask at the same
 * instant one gets the turn.
 */
export class Leases {
  readonly #bucket: LeaseBucket;

  constructor(bucket: LeaseBucket) {
    this.#bucket = bucket;
  }

  /** Takes the turn where nobody has it, or somebody who is over. The id of whoever has it afterwards; null where it was lost to another just now. */
  async take(
    application: string,
    id: string,
    isOver: (holder: string) => Promise<boolean>,
  ): Promise<string | null> {
    const found = await this.#bucket.get(root + application);
    const holder = found ? await found.text() : "";
    if (holder !== "" && !(await isOver(holder))) return holder;
    const onlyIf = found ? { etagMatches: found.etag } : { etagDoesNotMatch: "*" };
    return (await this.#bucket.put(root + application, id, { onlyIf })) ? id : null;
  }

  /** Ends a turn, if it is still this one's. */
  async end({ application, id }: Lease): Promise<void> {
    const found = await this.#bucket.get(root + application);
    if (found === null || (await found.text()) !== id) return;
    await this.#bucket.put(root + application, "", { onlyIf: { etagMatches: found.etag } });
  }

  /** All turns that have not ended. */
  async held(): Promise<Lease[]> {
    const turns: Lease[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#bucket.list({ prefix: root, cursor });
      for (const { key, size, uploaded } of page.objects) {
        if (size === 0) continue;
        const id = await (await this.#bucket.get(key))?.text();
        if (id) turns.push({ application: key.slice(root.length), id, since: uploaded.getTime() / 1000 });
      }
      cursor = page.truncated ? page.cursor : undefined;
    } while (cursor);
    return turns;
  }
}
