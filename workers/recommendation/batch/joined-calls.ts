/** A call that waits to be made with others. */
interface WaitingCall {
  user: number;
  argument: unknown;
  resolve(answer: never): void;
  reject(error: unknown): void;
}

/**
 * Makes one call of many: returns the answers in the order of the arguments. `undefined` stands for a call that is to be made
 * again with the next ones, because there is no room for it now; at least one has another answer.
 */
type CallForAll<A, R> = (argumentsOfCalls: A[]) => Promise<(R | undefined)[]>;

/** A method that many users call at the same time. */
interface JoinedMethod {
  waiting: WaitingCall[];
  callForAll: CallForAll<never, unknown>;
}

/** Error of a call that would be one more than a request may make. */
export class NoCallsLeft extends Error {
  override readonly name = "NoCallsLeft";
}

/**
 * Joins the calls that the lists of several users make, since a request may call other workers a few times only. Calls wait
 * until every user of the batch waits for one, or is done; then each method is called once for all. So there are as many
 * rounds as one user makes calls, however many users there are.
 */
export class JoinedCalls {
  readonly #methods: JoinedMethod[] = [];
  /** Joined calls that each user waits for, by number of the user. Users who are done have no entry. */
  readonly #waits = new Map<number, number>();
  #isCalling = false;
  #left: number;

  /** `maxCalls` bounds the calls that are made in all. A call beyond rejects with {@link NoCallsLeft}. */
  constructor(maxCalls: number) {
    this.#left = maxCalls;
  }

  /** Calls that may still be made. */
  get left(): number {
    return this.#left;
  }

  /** Returns the function by which a user calls a method; `callForAll` makes the call for many users. */
  method<A, R>(callForAll: CallForAll<A, R>): (user: number, argument: A) => Promise<R> {
    const method: JoinedMethod = { waiting: [], callForAll: callForAll as CallForAll<never, unknown> };
    this.#methods.push(method);
    return (user, argument) =>
      new Promise<R>((resolve, reject) => {
        method.waiting.push({ user, argument, resolve: resolve as WaitingCall["resolve"], reject });
        this.#waits.set(user, (this.#waits.get(user) ?? 0) + 1);
        // A user may make several calls at the same time.
        queueMicrotask(() => this.#callIfAllWait());
      });
  }

  /** Runs the work of users, each with a number, at the same time. Returns what each returned; rejects if one does. */
  async run<R>(users: readonly number[], work: (user: number) => Promise<R>): Promise<R[]> {
    for (const user of users) this.#waits.set(user, 0);
    return Promise.all(
      users.map(async (user) => {
        try {
          return await work(user);
        } finally {
          this.#waits.delete(user);
          this.#callIfAllWait();
        }
      }),
    );
  }

  #callIfAllWait(): void {
    if (this.#isCalling) return;
    for (const waits of this.#waits.values()) if (waits === 0) return;
    const methods = this.#methods.filter(({ waiting }) => waiting.length > 0);
    if (methods.length === 0) return;
    this.#isCalling = true;
    void Promise.all(methods.map((each) => this.#call(each))).then(() => {
      this.#isCalling = false;
      this.#callIfAllWait();
    });
  }

  async #call(method: JoinedMethod): Promise<void> {
    const calls = method.waiting.splice(0);
    try {
      if (this.#left === 0) throw new NoCallsLeft("the request may make no more calls");
      this.#left--;
      const answers = await method.callForAll(calls.map(({ argument }) => argument as never));
      const answered = calls.filter((_, i) => answers[i] !== undefined);
      if (answered.length === 0) throw new Error("a joined call answered none of its calls");
      for (const { user } of answered) this.#waitEnds(user);
      calls.forEach((call, i) => {
        if (answers[i] === undefined) method.waiting.push(call);
        else call.resolve(answers[i] as never);
      });
    } catch (error) {
      for (const { user } of calls) this.#waitEnds(user);
      for (const { reject } of calls) reject(error);
    }
  }

  #waitEnds(user: number): void {
    const waits = this.#waits.get(user);
    if (waits !== undefined) this.#waits.set(user, waits - 1);
  }
}
