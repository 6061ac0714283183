import { isLeaf } from "../../shared/geo/cells.ts";
import type { Progress } from "./migration.ts";
import { leafPolicy, type PublishState, parentPolicy, publishAt } from "./publish-policy.ts";

/** What a cell knows of itself. */
export interface CellState extends PublishState {
  application: string;
  cell: string;
  /** Of the last tile. */
  version: number;
  phase: Phase;
  /** While it splits: how far it is. */
  progress: Progress | null;
  /** Of the last that it handed down, or was handed. */
  turn: number;
  /** Number of the last call of people's activity that `counted` holds. */
  told: number;
}

/**
 * Where a cell is on its way from holding products to standing above cells that do. `filling`: made by a parent that splits,
 * shown to nobody yet. `splitting`: takes changes and shows its products, and hands them to its children. `handed`: its children
 * have everything and take the changes, it shows what it had. `split`: its children hold what it held.
 */
export type Phase = "leaf" | "filling" | "splitting" | "handed" | "split";

/** State of a cell of which nothing is known. */
export const untouched = {
  version: 0,
  changed: false,
  counted: 0,
  shown: 0,
  publishedAt: 0,
  phase: "leaf",
  progress: null,
  turn: 0,
  told: 0,
} as const;

/** Whether a cell's tile shows its own products, or what its children handed up. */
export const showsOwn = ({ cell, phase }: CellState): boolean => isLeaf(cell) && phase !== "split";

/** Whether a cell has handed down what it held: it takes nothing more, those below it do. */
export const isAbove = (state: CellState | null): boolean =>
  state?.phase === "handed" || state?.phase === "split";

/** Whether what people did waits in the cell to be folded: what a split hands down lies in tables. */
export const mayWait = (state: CellState): boolean => state.phase === "leaf";

/** All of a state but what the rows of news say too. */
export const lasting = (state: CellState): string => JSON.stringify({ ...state, counted: 0, told: 0 });

/** When the alarm has to ring, milliseconds: at once for a split, never (null) for what is not shown yet. */
export function dueAt(state: CellState, now: number): number | null {
  if (state.phase === "splitting" || state.phase === "handed") return now;
  return state.phase === "filling" ? null : publishingAt(state, now);
}

/** When the tile is to be published, milliseconds; null for not at all. With `gather`, so long others are waited for. */
export function publishingAt(state: CellState, now: number, gather?: number): number | null {
  const pace = showsOwn(state) ? leafPolicy : parentPolicy;
  return publishAt(state, now, gather === undefined ? pace : { ...pace, gather });
}
