import type { DatasetItem } from "./dataset.ts";
import type { ReadLog } from "./read-report.ts";

/** What an event says of its product. */
export interface ProductDescription {
  itemId: string;
  title: string | null;
  category: string | null;
}

/** Collects titles and categories that events name for their products: the first of each. */
export class DescriptionsOfEvents {
  readonly #known = new Map<string, ProductDescription>();

  add(description: ProductDescription): void {
    const known = this.#known.get(description.itemId);
    if (known) {
      known.title ??= description.title;
      known.category ??= description.category;
    } else if (description.title !== null || description.category !== null)
      this.#known.set(description.itemId, description);
  }

  /** Describes the products that have no row of their own. */
  applyTo(items: ReadonlyMap<string, DatasetItem>, derived: ReadonlySet<string>, log: ReadLog): void {
    let described = 0;
    for (const id of derived) {
      const item = items.get(id);
      const known = this.#known.get(id);
      if (!item || !known) continue;
      item.category = known.category ?? item.category;
      item.title = known.title ?? `${item.category} ${id}`;
      described++;
    }
    if (described > 0)
      log.guess(
        `products described by their events, by title or category: ${described.toLocaleString("en")}`,
        0,
      );
  }
}
