/**
 * What a model in memory is for: it serves an application, is its candidate (in shadow or canary, or in an experiment), or is on
 * trial before it may be either.
 */
export type ModelUse = "serving" | "candidate" | "trial";

/** Bounds of a {@link ModelMemory}, in bytes. */
export interface ModelMemoryBounds {
  /** Models that serve, and candidates. */
  maxRegistered: number;
  /** All models, also those on trial. The rest beyond `maxRegistered` is theirs alone. */
  maxTotal: number;
}

/** A model in memory. */
export interface HeldModel<V> {
  application: string;
  identity: string;
  /** `unneeded` for a model that has served or been a candidate, and is neither any more. */
  use: ModelUse | "unneeded";
  bytes: number;
  /** Milliseconds since the Unix epoch. */
  usedAt: number;
  value: V;
}

/** A model that is about to be held. */
export type WantedModel = Pick<HeldModel<unknown>, "application" | "bytes"> & { use: ModelUse };

/** Age of the last use after which a model gives up its place, in milliseconds. */
const idleMs = 10 * 60_000;
/** The same for a model on trial, which nobody needs after its trial. */
const idleTrialMs = 30_000;
/** Age after which a reservation counts no more: the request that made it was canceled, in milliseconds. */
const reservationMs = 60_000;

type SizedModel = Pick<HeldModel<unknown>, "application" | "bytes" | "use">;

const isRegistered = ({ use }: Pick<SizedModel, "use">): boolean => use !== "trial";

/**
 * The memory for models of an isolate, which applications share. A model gets a place if one is free, or if others must
 * give theirs up, in this order: models that nobody needs or used for a while; then those of the application that holds the most,
 * if it holds more than the wanting application would. Its candidates go before the model that serves it. A candidate or a
 * model on trial never displaces a model that serves, and a model that serves displaces the candidate of its own
 * application.
 *
 * A model that finds no place waits until one is free. So two applications never displace each other in turn: whoever
 * displaces holds less afterwards than the other did before.
 */
export class ModelMemory<V> {
  readonly #bounds: ModelMemoryBounds;
  readonly #onDrop: (model: HeldModel<V>) => void;
  readonly #now: () => number;
  readonly #models = new Map<string, HeldModel<V>>();
  readonly #reservations = new Map<symbol, WantedModel & { since: number }>();

  constructor(
    bounds: ModelMemoryBounds,
    onDrop: (model: HeldModel<V>) => void,
    now: () => number = () => Date.now(),
  ) {
    this.#bounds = bounds;
    this.#onDrop = onDrop;
    this.#now = now;
  }

  /** Bytes of all models, also of those that are being loaded. */
  get bytes(): number {
    return this.#sum(() => true);
  }

  /** Returns a model, and notes that it is used; null if it is not in memory. */
  get(application: string, identity: string): V | null {
    const model = this.#models.get(keyOf(application, identity));
    if (!model) return null;
    model.usedAt = this.#now();
    return model.value;
  }

  /** Returns a model that serves or is a candidate, and notes that it is used; null if it is not in memory as such. */
  getRegistered(application: string, identity: string): V | null {
    const model = this.#models.get(keyOf(application, identity));
    return model && isRegistered(model) ? this.get(application, identity) : null;
  }

  /** Returns whether {@link reserve} would find a place. */
  hasPlace(wanted: WantedModel): boolean {
    return this.#victims(wanted) !== null;
  }

  /** Makes room for a model that is about to be loaded. Returns a token for {@link hold}; null if there is no place. */
  reserve(wanted: WantedModel): symbol | null {
    const victims = this.#victims(wanted);
    if (victims === null) return null;
    for (const victim of victims) this.#drop(victim);
    const token = Symbol();
    this.#reservations.set(token, { ...wanted, since: this.#now() });
    return token;
  }

  /** Gives a reservation up. */
  cancel(token: symbol): void {
    this.#reservations.delete(token);
  }

  /** Holds a model in the place that was reserved for it. */
  hold(token: symbol, model: Omit<HeldModel<V>, "usedAt">): void {
    this.#reservations.delete(token);
    this.#models.set(keyOf(model.application, model.identity), { ...model, usedAt: this.#now() });
  }

  /**
   * Says what the models of an application are for now; one that is not named is no longer needed, unless it is on trial. A
   * model that was on trial and finds no place among the registered ones stays on trial.
   */
  assign(application: string, uses: ReadonlyMap<string, ModelUse>): void {
    for (const model of this.#models.values()) {
      if (model.application !== application) continue;
      const use = uses.get(model.identity);
      if (isRegistered(model)) model.use = use ?? "unneeded";
      if (isRegistered(model) || use === undefined) continue;
      const { bytes } = model;
      model.bytes = 0;
      const victims = this.#victims({ application, use, bytes });
      model.bytes = bytes;
      if (victims === null) continue;
      for (const victim of victims) this.#drop(victim);
      model.use = use;
    }
  }

  #drop(model: HeldModel<V>): void {
    this.#models.delete(keyOf(model.application, model.identity));
    this.#onDrop(model);
  }

  /** Returns the sum of the sizes of the models and reservations that match. */
  #sum(matches: (model: SizedModel) => boolean, without: ReadonlySet<unknown> = new Set()): number {
    let sum = 0;
    for (const model of this.#models.values()) if (!without.has(model) && matches(model)) sum += model.bytes;
    const oldest = this.#now() - reservationMs;
    for (const each of this.#reservations.values())
      if (each.since > oldest && matches(each)) sum += each.bytes;
    return sum;
  }

  /** Returns the models that must go so that another one has a place; null if there is none for it. */
  #victims(wanted: WantedModel): HeldModel<V>[] | null {
    const { maxTotal, maxRegistered } = this.#bounds;
    const victims = new Set<HeldModel<V>>();
    for (;;) {
      const lacksTotal = this.#sum(() => true, victims) + wanted.bytes > maxTotal;
      const lacksRegistered =
        isRegistered(wanted) && this.#sum(isRegistered, victims) + wanted.bytes > maxRegistered;
      if (!lacksTotal && !lacksRegistered) return [...victims];
      const helps = (model: HeldModel<V>): boolean =>
        !victims.has(model) && (!lacksRegistered || isRegistered(model));
      const next = this.#freeModel(helps) ?? this.#nextVictim(wanted, helps, victims);
      if (next === null) return null;
      victims.add(next);
    }
  }

  /** Returns a model that nobody needs, or that was not used for a while; null if there is none. */
  #freeModel(helps: (model: HeldModel<V>) => boolean): HeldModel<V> | null {
    const now = this.#now();
    const isFree = ({ use, usedAt }: HeldModel<V>): boolean =>
      use === "unneeded" || now - usedAt >= (use === "trial" ? idleTrialMs : idleMs);
    return longestUnused([...this.#models.values()].filter((model) => helps(model) && isFree(model)));
  }

  /** Returns the next model that must give way to another one; null if none must. */
  #nextVictim(
    { application, use, bytes }: WantedModel,
    helps: (model: HeldModel<V>) => boolean,
    victims: ReadonlySet<unknown>,
  ): HeldModel<V> | null {
    const heldBy = (name: string): number => this.#sum((each) => each.application === name, victims);
    const wantedShare = heldBy(application) + bytes;
    const mayDisplace = (model: HeldModel<V>): boolean =>
      model.use === "candidate" || (model.use === "serving" && use === "serving");
    const displaceable = [...this.#models.values()].filter((model) => helps(model) && mayDisplace(model));
    const others = displaceable.filter(
      (model) => model.application !== application && heldBy(model.application) > wantedShare,
    );
    const most = Math.max(...others.map((model) => heldBy(model.application)));
    const ofLargest = others.filter((model) => heldBy(model.application) === most);
    const own = displaceable.filter(
      (model) => use === "serving" && model.use === "candidate" && model.application === application,
    );
    const candidates = ofLargest.filter((model) => model.use === "candidate");
    return longestUnused(candidates) ?? longestUnused(own) ?? longestUnused(ofLargest);
  }
}

const keyOf = (application: string, identity: string): string => `${application}\n${identity}`;

const longestUnused = <V>(models: readonly HeldModel<V>[]): HeldModel<V> | null =>
  models.reduce<HeldModel<V> | null>(
    (oldest, model) => (oldest === null || model.usedAt < oldest.usedAt ? model : oldest),
    null,
  );
