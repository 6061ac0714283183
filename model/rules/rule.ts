import type { TouchedRule } from "../../shared/contracts/recommendation.ts";
import type { Boost, Grouping, Objective, Pin } from "../../shared/contracts/rules.ts";
import type { ExpressionContext } from "../expressions/context.ts";
import type { BlockRow } from "../features/list-summary.ts";
import type { RankedRow } from "./ranked-row.ts";
import type { SessionIntent } from "./session-intent.ts";

/** Business rules of a request, applied to the ranked list. */
export interface Rules {
  /** Products of the list, at most. */
  limit: number;
  /** Products that pages before showed: the list begins at the position after them. 0 if absent. */
  offset?: number;
  /** Factors on the score, by category; 0 removes the category. */
  boost?: Readonly<Record<string, number>>;
  /** What the outcomes are worth; the score of the model if absent. */
  objective?: Objective;
  /** Changes of the scores of products that meet conditions. */
  boosts?: readonly Boost[];
  /** Products at fixed positions. */
  pins?: readonly Pin[];
  /** Weight of dissimilarity against score, 0..1. */
  diversity?: number;
  /** Products of one category, at most. */
  perCategory?: number;
  /** Products of one `groupId`, at most. Counts only if `collapse` leaves out `group`. */
  perGroup?: number;
  /** Products of one brand, at most. */
  perBrand?: number;
  /** Products of one value of a declared attribute, at most, by name of the attribute. */
  perAttribute?: Readonly<Record<string, number>>;
  /** Properties of whose groups the list shows the best product only; the variants of a group if absent. */
  collapse?: readonly Grouping[];
}

/** What rules know besides the products. */
export interface RuleContext {
  /** Seconds since the epoch. */
  now: number;
  /** What conditions may know, with the attributes that rules name; absent if no rule has either. */
  expressions?: ExpressionContext;
  /** What the user is looking for now; null or absent if it is nothing in particular. */
  intent?: SessionIntent | null;
}

/** A position that one of some products holds. */
export interface PinnedPosition<R> {
  /** The products that may hold it, the best first. */
  rows: readonly R[];
  /** From 1, on this page. A position after its end is one of a later page. */
  position: number;
}

/** Chooses the best products that are left, each one time, while a list is filled. `before` is what it has already. */
export type Select = <R extends RankedRow>(
  pool: readonly R[],
  limit: number,
  add: (each: R) => boolean,
  before: readonly BlockRow[],
) => void;

/** A rule of one request, which works on one list. Each method is optional; the list calls them in this order. */
export interface ActiveRule {
  /** Whether the rule reads most products in their order, so that all are sorted at once. */
  needsOrder?: boolean;
  /** Returns the score of a product after the rule; 0 or more. Null leaves the product out. */
  score?(row: BlockRow, score: number): number | null;
  /**
   * Returns the new scores of products whose scores the others decide, after all rules have changed the scores. `ranked` is
   * in no order, and has each product once. `shown` are the products of pages before.
   */
  raise?<R extends RankedRow>(ranked: readonly R[], shown: readonly BlockRow[]): ReadonlyMap<R, number>;
  /** Returns what an explanation says of the changed score of a product; nothing if the rule did not change it. */
  touched?(row: BlockRow): TouchedRule[];
  /**
   * Returns the products that may hold positions, those of the first positions first. The first pin of a position that one
   * of its products can hold gets it. `ranked` has no order unless the rule needs one: then the best come first.
   */
  pin?<R extends RankedRow>(ranked: readonly R[]): PinnedPosition<R>[];
  /** Returns whether a product may be in the list with the products before it: pinned ones, then the best first. */
  isKept?(row: BlockRow): boolean;
  /** Returns whether the list may take one more product. */
  isAllowed?(row: BlockRow): boolean;
  /** Notes that the list took a product. */
  take?(row: BlockRow): void;
  /** Chooses among the best products; without such a rule, the order is that of the scores. */
  select?: Select;
}

/** A kind of rule. */
export interface Rule {
  name: string;
  /** Returns the rule of a request; null if the request has none of this kind. */
  prepare(rules: Rules, context: RuleContext): ActiveRule | null;
}
