import type { TouchedRule } from "../../shared/contracts/recommendation.ts";
import { ProductMap } from "../columns/product-map.ts";
import type { BlockRow } from "../features/list-summary.ts";
import { placePins } from "./pins.ts";
import { compareRanked, RankedOrder } from "./ranked-order.ts";
import type { RankedRow } from "./ranked-row.ts";
import type { ActiveRule, RuleContext, Rules } from "./rule.ts";
import { rulesInOrder } from "./rules-in-order.ts";

/** Best candidates among which diversity selects: this many for each item of the list, and at least the minimum. */
const diversityPoolPerItem = 10;
const minDiversityPool = 50;
/** Products of which memory for raised scores is kept. */
const raisedProducts = 4;

/** The rules of one request, for one list. */
export class RequestRules {
  readonly #limit: number;
  readonly #active: readonly ActiveRule[];
  /** The scores that other products decided. */
  readonly #raised = new ProductMap<number>(raisedProducts);

  constructor(rules: Rules, context: RuleContext) {
    this.#limit = rules.limit;
    this.#active = rulesInOrder.flatMap((rule) => rule.prepare(rules, context) ?? []);
  }

  /**
   * Returns the score of a product after all rules; null for a product that a rule leaves out. What other products decide is
   * known after {@link RequestRules.list}.
   */
  score(row: BlockRow, score: number): number | null {
    let value = score;
    for (const rule of this.#active) {
      if (!rule.score) continue;
      const next = rule.score(row, value);
      if (next === null) return null;
      value = next;
    }
    return this.#raised.size === 0 ? value : (this.#raised.get(row.block, row.row) ?? value);
  }

  /** Returns what an explanation says of the rules that changed the score of a product. */
  touched(row: BlockRow): TouchedRule[] {
    return this.#active.flatMap((rule) => rule.touched?.(row) ?? []);
  }

  /**
   * Returns the list to show, followed by up to `extra` products that come next: all of them obey the caps together, each
   * product comes once. The order is by score, ties by product, so that the same input always gives the same list; pinned
   * products stand at their positions, and those of later pages are left for these. `shown` are the products of pages before,
   * which the rules count too; none of them is in `ranked`. It is called once: rules remember what the list has.
   */
  list<R extends RankedRow>(ranked: readonly R[], extra = 0, shown: readonly BlockRow[] = []): R[] {
    const limit = this.#limit + extra;
    const scored = this.#withRaised(this.#scored(ranked), shown);
    const isSorted = this.#active.some(({ needsOrder }) => needsOrder);
    if (isSorted) scored.sort(compareRanked);
    for (const each of shown) {
      this.#isKept(each);
      this.#take(each);
    }
    const pinned = this.#takePinned(scored);
    const selected: R[] = [];
    const later: R[] = [];
    for (const { row, position } of pinned)
      (position <= this.#limit ? selected : later).push({ ...row, pin: position });
    const fixed = new Set(pinned.map(({ row }) => row));
    const list = new RankedOrder(
      fixed.size === 0 ? scored : scored.filter((each) => !fixed.has(each)),
      (each) => this.#isKept(each),
      isSorted,
    );
    const add = (each: R): boolean => {
      if (!this.#isAllowed(each)) return false;
      this.#take(each);
      selected.push(each);
      return true;
    };
    let next = 0;
    for (const { select } of this.#active) {
      if (!select) continue;
      next = Math.max(minDiversityPool, limit * diversityPoolPerItem);
      select(list.first(next), limit - selected.length, add, [...shown, ...fixed]);
    }
    // With diversity, the caps may leave too few products of the pool.
    for (let each = list.at(next); each && selected.length < limit; each = list.at(++next)) add(each);
    // A list that ends before the position of a pin has its product at the end.
    selected.push(...later.slice(0, limit - selected.length));
    return placePins(selected, ({ pin }) => pin);
  }

  /** Returns each product once, with its score after the rules. */
  #scored<R extends RankedRow>(ranked: readonly R[]): R[] {
    const changes = this.#active.some(({ score }) => score);
    const seen = new ProductMap<true>(ranked.length);
    const list: R[] = [];
    for (const each of ranked) {
      if (seen.get(each.block, each.row)) continue;
      seen.insert(each.block, each.row, true);
      const score = changes ? this.score(each, each.score) : each.score;
      if (score !== null) list.push(score === each.score ? each : { ...each, score });
    }
    return list;
  }

  /** Returns the products with the scores that others decide. */
  #withRaised<R extends RankedRow>(scored: R[], shown: readonly BlockRow[]): R[] {
    let list = scored;
    for (const rule of this.#active) {
      const raised = rule.raise?.(list, shown);
      if (!raised || raised.size === 0) continue;
      for (const [{ block, row }, score] of raised) this.#raised.set(block, row, score);
      list = list.map((each) => {
        const score = raised.get(each);
        return score === undefined ? each : { ...each, score };
      });
    }
    return list;
  }

  /** Takes and returns the pinned products. A pin holds no position if pins before it use up a cap or show its group. */
  #takePinned<R extends RankedRow>(ranked: readonly R[]): { row: R; position: number }[] {
    const pinned: { row: R; position: number }[] = [];
    const placed = new Set<R>();
    for (const rule of this.#active)
      for (const { rows, position } of rule.pin?.(ranked) ?? []) {
        if (pinned.at(-1)?.position === position) continue;
        const row = rows.find((each) => !placed.has(each) && this.#isAllowed(each) && this.#isKept(each));
        if (row === undefined) continue;
        this.#take(row);
        placed.add(row);
        pinned.push({ row, position });
      }
    return pinned;
  }

  #isKept(row: BlockRow): boolean {
    for (const rule of this.#active) if (rule.isKept && !rule.isKept(row)) return false;
    return true;
  }

  #isAllowed(row: BlockRow): boolean {
    for (const rule of this.#active) if (rule.isAllowed && !rule.isAllowed(row)) return false;
    return true;
  }

  #take(row: BlockRow): void {
    for (const rule of this.#active) rule.take?.(row);
  }
}

/** Returns the list that the rules of a request make of ranked products: see {@link RequestRules.list}. */
export const applyRules = <R extends RankedRow>(
  ranked: readonly R[],
  rules: Rules,
  context: RuleContext,
): R[] => new RequestRules(rules, context).list(ranked);
