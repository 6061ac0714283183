import type { EventType } from "../../../shared/contracts/event.ts";

/**
 * Strength of each event: the strongest event of a product becomes its outcome. A dismissal is stronger than a view or
 * click, but weaker than a cart or purchase.
 */
const outcomeStrength: Record<EventType, number> = { view: 1, click: 2, dismiss: 3, cart: 4, purchase: 5 };

/** Returns the strongest event of each product. The events are not validated, because this object wrote them. */
export function strongestOutcomes(
  outcomes: readonly { product: string; type: string }[],
): Map<string, EventType> {
  const strongest = new Map<string, EventType>();
  for (const { product, type } of outcomes) {
    const before = strongest.get(product);
    if (!before || outcomeStrength[type as EventType] > outcomeStrength[before])
      strongest.set(product, type as EventType);
  }
  return strongest;
}
