import { float64Tag, nullTag, uint16Tag, uint32Tag } from "./number-tags.ts";

const initialBytes = 8192;
/** A memory up to this size is kept for the next writer, in bytes. */
const maxKeptBytes = 64 * 1024;
/** Bytes that a number takes at most. */
const numberBytes = 9;

/**
 * Memory of the last writer that finished; null while a writer has it. Memory outside the heap of JavaScript makes V8
 * collect garbage, so that writers with memory of their own paused a thread for milliseconds.
 */
let kept: Uint8Array<ArrayBuffer> | null = null;

/**
 * Writes numbers and texts one after another, and is of no use after {@link ByteWriter.finish}. A `ByteReader` reads them in
 * the same order.
 */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;
  /** The index of each text in the table of texts. */
  readonly #indices = new Map<string, number>();

  constructor() {
    this.#bytes = kept ?? new Uint8Array(initialBytes);
    kept = null;
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Writes any number, or null. A whole number below {@link uint16Tag} takes one byte, any other at most nine. */
  number(value: number | null): void {
    if (this.#length + numberBytes > this.#bytes.length) this.#grow();
    if (value === null) {
      this.#bytes[this.#length++] = nullTag;
    } else if (value >>> 0 !== value || Object.is(value, -0)) {
      this.#bytes[this.#length++] = float64Tag;
      this.#view.setFloat64(this.#length, value, true);
      this.#length += 8;
    } else if (value < uint16Tag) {
      this.#bytes[this.#length++] = value;
    } else if (value < 2 ** 16) {
      this.#bytes[this.#length++] = uint16Tag;
      this.#view.setUint16(this.#length, value, true);
      this.#length += 2;
    } else {
      this.#bytes[this.#length++] = uint32Tag;
      this.#view.setUint32(this.#length, value, true);
      this.#length += 4;
    }
  }

  /** Writes a list of numbers. */
  numbers(values: readonly number[]): void {
    this.number(values.length);
    for (const value of values) this.number(value);
  }

  /** Writes a text, or null. The text must be well-formed Unicode. The table of texts holds it once. */
  text(value: string | null): void {
    this.number(value === null ? null : this.#indexOf(value));
  }

  /** Returns `firstByte`, the table of texts, and all that was written. */
  finish(firstByte: number): Uint8Array<ArrayBuffer> {
    const texts = [...this.#indices.keys()];
    const joined = new TextEncoder().encode(texts.join(""));
    const contentLength = this.#length;
    this.number(texts.length);
    for (const { length } of texts) this.number(length);
    this.number(joined.length);
    // The sizes were written last, and stand first.
    const sizes = this.#bytes.subarray(contentLength, this.#length);
    const finished = new Uint8Array(1 + this.#length + joined.length);
    finished[0] = firstByte;
    finished.set(sizes, 1);
    finished.set(joined, 1 + sizes.length);
    finished.set(this.#bytes.subarray(0, contentLength), 1 + sizes.length + joined.length);
    if (this.#bytes.length <= maxKeptBytes) kept = this.#bytes;
    return finished;
  }

  /** Returns the index of a text in the table, to which a new text is added. */
  #indexOf(text: string): number {
    const known = this.#indices.get(text);
    if (known !== undefined) return known;
    const index = this.#indices.size;
    this.#indices.set(text, index);
    return index;
  }

  #grow(): void {
    const larger = new Uint8Array(2 * this.#bytes.length);
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
