import { featureShape } from "../model/features/compute.ts";
import { randomBatch } from "../model/onnx/manifest.ts";
import { maxCandidates } from "../model/pipeline/recommend.ts";
import type { Figure, Yardstick } from "./figure.ts";
import { bundledInNode } from "./onnx/bundled-model.ts";
import type { BenchOptions } from "./options.ts";
import { millisecondsOf } from "./timing.ts";
import { type World, worldOf } from "./data/world.ts";

/** What the sections of one run share. */
export class BenchContext {
  readonly options: BenchOptions;
  /** Says what is going on; for people. */
  readonly say: (line: string) => void;
  /** Everything measured so far. */
  readonly figures: Figure[] = [];
  /** What the reader must know of the figures. */
  readonly notes: string[] = [];
  /** Median milliseconds of the bare ONNX run, and where it was measured; null before that. */
  onnx: Yardstick | null = null;
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

  /** The bare ONNX run of as many candidates as the model ranks at most: as the section `limit` found it, else in Node. */
  async onnxLimit(): Promise<Yardstick> {
    if (!this.onnx) {
      const { session } = await bundledInNode();
      const batch = randomBatch(featureShape, maxCandidates, 1);
      const { p50 } = await millisecondsOf(() => session.run(batch), { warmUp: 50, runs: 300, seconds: 4 });
      await session.release();
      this.onnx = { what: `bare ONNX, ${maxCandidates}, in Node`, value: p50 };
    }
    return this.onnx;
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
