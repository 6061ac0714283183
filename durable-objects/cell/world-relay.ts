/** The current tile of a cell, as its object tells a reader. */
export interface CurrentTile {
  version: number;
  /** Null if the reader knows this version. */
  tile: ArrayBuffer | null;
}

/** Reads the current tile of the world from its object; null if nothing was written to it. */
type ReadWorld = (application: string, known: number | null) => PromiseLike<CurrentTile | null>;

/** Age up to which a relay answers from memory, in milliseconds. */
const freshMs = 1000;
/** Age up to which a relay answers from memory while it reads, in milliseconds. */
const staleMs = 3000;

/** The tile of the world in the memory of a relay, which many isolates ask instead of the object of the world. */
export class WorldRelay {
  readonly #read: ReadWorld;
  #last: { answer: { version: number; tile: ArrayBuffer } | null; readAt: number } | null = null;
  #reading: Promise<void> | null = null;

  constructor(read: ReadWorld) {
    this.#read = read;
  }

  /** Returns the version of the world's tile, and the tile unless its version is `known`; null if the world is empty. */
  async currentTile(application: string, known: number | null): Promise<CurrentTile | null> {
    const ageMs = this.#last ? Date.now() - this.#last.readAt : Number.NaN;
    if (!(ageMs >= 0 && ageMs < freshMs)) {
      this.#reading ??= this.#refresh(application).finally(() => {
        this.#reading = null;
      });
      if (ageMs >= 0 && ageMs < staleMs) this.#reading.catch(() => undefined);
      else await this.#reading;
    }
    const answer = this.#last?.answer;
    return answer ? { version: answer.version, tile: answer.version === known ? null : answer.tile } : null;
  }

  async #refresh(application: string): Promise<void> {
    const known = this.#last?.answer ?? null;
    const read = await this.#read(application, known?.version ?? null);
    const answer = read?.tile ? { version: read.version, tile: read.tile } : read && known;
    this.#last = { answer, readAt: Date.now() };
  }
}
