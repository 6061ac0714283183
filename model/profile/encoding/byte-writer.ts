import { float64Tag, nullTag, uint16Tag, uint32Tag } from "./number-tags.ts";

const initialBytes = 8192;
/** Bytes that a number takes at most. */
const numberBytes = 9;

/** Writes numbers and texts one after another. A `ByteReader` reads them in the same order. */
export class ByteWriter {
  #bytes = new Uint8Array(initialBytes);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  /** The index of each text in the table of texts. */
  readonly #indices = new Map<string, number>();

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
    const sizes = new ByteWriter();
    sizes.numbers(texts.map(({ length }) => length));
    sizes.number(joined.length);
    const finished = new Uint8Array(1 + sizes.#length + joined.length + this.#length);
    finished[0] = firstByte;
    finished.set(sizes.#written, 1);
    finished.set(joined, 1 + sizes.#length);
    finished.set(this.#written, 1 + sizes.#length + joined.length);
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

  get #written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #grow(): void {
    const larger = new Uint8Array(2 * this.#bytes.length);
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
