import { featureShape } from "../model/features/compute-features.ts";
import { randomBatch } from "../model/onnx/manifest.ts";
import { maxCandidates } from "../model/pipeline/run-pipeline.ts";
import { buildIndexedMarket, type IndexedMarket } from "./data/world.ts";
import type { Figure, Reference } from "./figure.ts";
import { openBundledModel } from "./onnx/bundled-model.ts";
import type { BenchOptions } from "./options.ts";
import { measureMilliseconds } from "./timing.ts";

/** What the sections of one run share. */
export class BenchContext {
  readonly options: BenchOptions;
  /** Says what is going on; for people. */
  readonly log: (line: string) => void;
  /** Everything measured so far. */
  readonly figures: Figure[] = [];
  /** What the reader must know of the figures. */
  readonly notes: string[] = [];
  /** Median milliseconds of the bare ONNX run, and where it was measured; null before that. */
  onnxInWorkerd: Reference | null = null;
  #market: IndexedMarket | null = null;

  constructor(options: BenchOptions, log: (line: string) => void) {
    this.options = options;
    this.log = log;
  }

  /** The world in memory, made when it is first wanted. */
  get market(): IndexedMarket {
    if (!this.#market) {
      this.log(`making ${this.options.products.toLocaleString("en")} products in memory`);
      this.#market = buildIndexedMarket(this.options.products);
    }
    return this.#market;
  }

  /** The bare ONNX run of as many candidates as the model ranks at most: as the section `limit` found it, else in Node. */
  async onnxReference(): Promise<Reference> {
    if (!this.onnxInWorkerd) {
      const { session } = await openBundledModel();
      const batch = randomBatch(featureShape, maxCandidates, 1);
      const { p50 } = await measureMilliseconds(() => session.run(batch), {
        warmUp: 50,
        runs: 300,
        seconds: 4,
      });
      await session.release();
      this.onnxInWorkerd = { label: `bare ONNX, ${maxCandidates}, in Node`, value: p50 };
    }
    return this.onnxInWorkerd;
  }

  /** Gives the memory of the world back: the workers need it. */
  releaseMarket(): void {
    this.#market = null;
  }

  /** Tells what the reader must know, once. */
  addNote(line: string): void {
    if (!this.notes.includes(line)) this.notes.push(line);
  }
}
