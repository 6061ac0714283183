import { maxCandidates } from "../model/pipeline/run-pipeline.ts";
import { buildIndexedMarket, type IndexedMarket } from "./data/indexed-market.ts";
import type { BenchFigure, Reference } from "./figure.ts";
import { measureOnnx } from "./onnx/measure-onnx.ts";
import type { BenchOptions } from "./options.ts";

/** Options, figures and data that the sections of one run share. */
export class BenchContext {
  readonly options: BenchOptions;
  /** Prints one line of progress. */
  readonly log: (line: string) => void;
  /** All figures measured so far. */
  readonly figures: BenchFigure[] = [];
  /** Remarks that the report prints below the figures. */
  readonly notes: string[] = [];
  /** Median milliseconds of the ONNX run alone, and where it was measured; null before the measurement. */
  onnxMedian: Reference | null = null;
  #market: IndexedMarket | null = null;

  constructor(options: BenchOptions, log: (line: string) => void) {
    this.options = options;
    this.log = log;
  }

  /** The generated market in memory, which the first access creates. */
  get market(): IndexedMarket {
    if (!this.#market) {
      this.log(`generating a market of ${this.options.products.toLocaleString("en")} products in memory`);
      this.#market = buildIndexedMarket(this.options.products);
    }
    return this.#market;
  }

  /**
   * Returns the median milliseconds of an ONNX run on {@link maxCandidates} candidates: from the section `limit` if it
   * ran, otherwise measured in Node.
   */
  async onnxReference(): Promise<Reference> {
    this.onnxMedian ??= await measureOnnx(maxCandidates);
    return this.onnxMedian;
  }

  /** Releases the memory of the market, which the workers need. */
  releaseMarket(): void {
    this.#market = null;
  }

  /** Adds a remark to the report, unless the report already has it. */
  addNote(line: string): void {
    if (!this.notes.includes(line)) this.notes.push(line);
  }
}
