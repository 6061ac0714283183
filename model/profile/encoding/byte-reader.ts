import { float64Tag, nullTag, uint16Tag, uint32Tag } from "./number-tags.ts";

// A text may begin with the byte order mark, which a decoder drops unless it is told not to.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads what a `ByteWriter` has written. Throws an error where the bytes end too early or are of another kind. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #texts: readonly string[];
  #at = 1;

  /** Reads the table of texts, which follows the first byte. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const lengths = this.numbers();
    const end = this.number() + this.#at;
    const joined = decoder.decode(bytes.subarray(this.#at, end));
    this.#at = end;
    let start = 0;
    this.#texts = lengths.map((length) => {
      start += length;
      return joined.slice(start - length, start);
    });
    if (start !== joined.length) throw new RangeError("The texts are not as long as their table says.");
  }

  numberOrNull(): number | null {
    const tag = this.#view.getUint8(this.#at++);
    if (tag < uint16Tag) return tag;
    if (tag === nullTag) return null;
    const at = this.#at;
    if (tag === float64Tag) {
      this.#at += 8;
      return this.#view.getFloat64(at, true);
    }
    if (tag === uint32Tag) {
      this.#at += 4;
      return this.#view.getUint32(at, true);
    }
    this.#at += 2;
    return this.#view.getUint16(at, true);
  }

  number(): number {
    const value = this.numberOrNull();
    if (value === null) throw new RangeError(`Expected a number before byte ${this.#at}; got null.`);
    return value;
  }

  numbers(): number[] {
    const count = this.number();
    if (!(count <= this.#bytes.length - this.#at)) throw new RangeError(`A list of ${count} is too long.`);
    const values = new Array<number>(count);
    for (let i = 0; i < count; i++) values[i] = this.number();
    return values;
  }

  textOrNull(): string | null {
    const index = this.numberOrNull();
    return index === null ? null : this.#textAt(index);
  }

  text(): string {
    return this.#textAt(this.number());
  }

  /** Throws an error if bytes are left. */
  end(): void {
    if (this.#at !== this.#bytes.length)
      throw new RangeError(`Expected ${this.#at} bytes; got ${this.#bytes.length}.`);
  }

  #textAt(index: number): string {
    const text = this.#texts[index];
    if (text === undefined) throw new RangeError(`There is no text ${index} in the table.`);
    return text;
  }
}
