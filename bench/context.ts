import type { Figure } from "./figure.ts";
import type { BenchOptions } from "./options.ts";
import { type World, worldOf } from "./world.ts";

/** What the sections of one run share. */
export class BenchContext {
  readonly options: BenchOptions;
  /** Says what is going on; for people. */
  readonly say: (line: string) => void;
  /** Everything measured so far. */
  readonly figures: Figure[] = [];
  /** What the reader must know of the figures. */
  readonly notes: string[] = [];
  #world: World | null = null;

  constructor(options: BenchOptions, say: (line: string) => void) {
    this.options = options;
    this.say = say;
  }

  /** The world in memory, made when it is first wanted. */
  get world(): World {
    if (!this.#world) {
      this.say(`making ${this.options.products.toLocaleString("en")} products in memory`);
      this.#world = worldOf(this.options.products);
    }
    return this.#world;
  }

  /** Gives the memory of the world back: the workers need it. */
  forgetWorld(): void {
    this.#world = null;
  }

  /** Tells what the reader must know, once. */
  note(line: string): void {
    if (!this.notes.includes(line)) this.notes.push(line);
  }
}
