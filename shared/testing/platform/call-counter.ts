import { AsyncLocalStorage } from "node:async_hooks";

/** What the platform allows one request, and one invocation of a worker. */
export interface CallLimits {
  /** Worker invocations of a request: its own, and each call of a service binding, also of those that others make. */
  invocations: number;
  /** Calls that one invocation makes: of services, Durable Objects, databases, KV, buckets, queues and Workflows. */
  subrequests: number;
}

/**
 * The limits of https://developers.cloudflare.com/workers/runtime-apis/bindings/service-bindings/ ("a single request has a
 * maximum of 32 Worker invocations") and of https://developers.cloudflare.com/kv/platform/limits/ (1,000 operations of an
 * invocation). Other subrequests may be 10,000 by https://developers.cloudflare.com/workers/platform/limits/.
 */
export const platformLimits: CallLimits = { invocations: 32, subrequests: 1000 };

/** The calls of one request: of an HTTP request, a cron trigger, a batch of a queue, or an alarm. */
export interface CallReport {
  name: string;
  invocations: number;
  /** The most calls that one invocation of the request made. */
  subrequests: number;
  /** Calls in the order in which they began, as `recommendation USER.getCards`. */
  calls: string[];
  /** Calls that followed one another before the answer: a call follows all that ended before it began. */
  callsInTurn: number;
}

/** An invocation of a worker. All invocations of a request share the request. */
interface Invocation {
  worker: string;
  subrequests: number;
  request: { report: CallReport; callsEnded: number };
}

type Method = (...args: unknown[]) => unknown;

/** Methods of bindings that make a call. Other methods of a binding, and of what it returns, are local. */
const callsOf = {
  database: ["batch", "exec", "dump"],
  statement: ["all", "first", "raw", "run"],
  kv: ["get", "getWithMetadata", "put", "delete", "list"],
  bucket: ["head", "get", "put", "delete", "list", "createMultipartUpload"],
  queue: ["send", "sendBatch"],
  workflow: ["create", "createBatch", "get"],
} as const;

/**
 * Counts the calls of requests over all workers of a test that runs them in one isolate. It imitates the limits of the
 * platform, which the local runtime does not enforce: the call above a limit throws, and {@link exceeded} names it.
 */
export class CallCounter {
  readonly #limits: CallLimits;
  readonly #current = new AsyncLocalStorage<Invocation>();
  /** Calls above a limit since the last {@link reset}. */
  readonly exceeded: string[] = [];
  /** Returns a promise that a call waits for before it begins; a test holds calls back by it. */
  hold: (call: string) => Promise<unknown> | null = () => null;

  constructor(limits: CallLimits = platformLimits) {
    this.#limits = limits;
  }

  reset(): void {
    this.exceeded.length = 0;
    this.hold = () => null;
  }

  /**
   * Runs a request of a worker. Returns what `work` returns, and a report that grows with calls after the answer, but for
   * `callsInTurn`.
   */
  async run<T>(
    worker: string,
    name: string,
    work: () => T | Promise<T>,
  ): Promise<{ answer: T; report: CallReport }> {
    const report: CallReport = { name, invocations: 1, subrequests: 0, calls: [], callsInTurn: 0 };
    const request = { report, callsEnded: 0 };
    const answer = await this.#current.run({ worker, subrequests: 0, request }, async () => work());
    report.callsInTurn = request.callsEnded;
    return { answer, report };
  }

  /** Returns a service binding: each call of a method is an invocation of its worker. */
  service<S extends object>(worker: string, service: S): S {
    return this.#proxy(service, (method, run) => this.#call(`${worker}.${method}`, run, worker));
  }

  /** Returns a namespace of Durable Objects, each call of whose objects is counted. An object is a request of its own. */
  objects<N extends object>(name: string, namespace: N): N {
    const stub = (object: object): object =>
      this.#proxy(object, (method, run) => this.#call(`${name}.${method}`, run));
    return new Proxy(namespace, {
      get: (target, property) => {
        const member: unknown = Reflect.get(target, property);
        if (typeof member !== "function") return member;
        return (...args: unknown[]) => {
          const returned: unknown = (member as Method).apply(target, args);
          return property === "get" || property === "getByName" ? stub(returned as object) : returned;
        };
      },
    });
  }

  /** Returns a database whose statements and batches are counted. */
  database<D extends object>(name: string, database: D): D {
    const statements = new WeakMap<object, object>();
    const statement = (real: object): object => {
      const counted: object = new Proxy(real, {
        get: (target, property) => {
          const member: unknown = Reflect.get(target, property);
          if (typeof member !== "function") return member;
          return (...args: unknown[]) => {
            const run = () => (member as Method).apply(target, args);
            if (property === "bind") return statement(run() as object);
            return isOneOf(callsOf.statement, property) ? this.#call(`${name}.${property}`, run) : run();
          };
        },
      });
      statements.set(counted, real);
      return counted;
    };
    const real = (each: unknown): unknown => statements.get(each as object) ?? each;
    return new Proxy(database, {
      get: (target, property) => {
        const member: unknown = Reflect.get(target, property);
        if (typeof member !== "function") return member;
        return (...args: unknown[]) => {
          const run = () => (member as Method).apply(target, args);
          if (property === "prepare") return statement(run() as object);
          if (property === "batch")
            return this.#call(`${name}.batch`, () =>
              (member as Method).call(target, (args[0] as unknown[]).map(real)),
            );
          return isOneOf(callsOf.database, property) ? this.#call(`${name}.${property}`, run) : run();
        };
      },
    });
  }

  /** Returns a store whose calls are counted. */
  store<S extends object>(kind: "kv" | "bucket" | "queue" | "workflow", name: string, store: S): S {
    return this.#proxy(
      store,
      (method, run) => this.#call(`${name}.${method}`, run),
      (property) => isOneOf(callsOf[kind], property),
    );
  }

  /** Returns an object whose methods are called by `around`, if they are `counted`. */
  #proxy<S extends object>(
    object: S,
    around: (method: string, run: () => unknown) => unknown,
    counted: (property: string | symbol) => boolean = () => true,
  ): S {
    return new Proxy(object, {
      get: (target, property) => {
        const member: unknown = Reflect.get(target, property);
        if (typeof member !== "function" || typeof property === "symbol") return member;
        // Each property of an RPC stub is a remote method, also `apply`, so a method is called by its name.
        const run =
          (...args: unknown[]) =>
          () =>
            (target as Record<string, Method>)[property](...args);
        return (...args: unknown[]) => (counted(property) ? around(property, run(...args)) : run(...args)());
      },
    });
  }

  /** Makes a call and counts it. With `worker`, the call is an invocation of that worker. */
  async #call(call: string, run: () => unknown, worker?: string): Promise<unknown> {
    const caller = this.#current.getStore();
    if (!caller) return run();
    const { request } = caller;
    const { report } = request;
    report.calls.push(`${caller.worker} ${call}`);
    report.subrequests = Math.max(report.subrequests, ++caller.subrequests);
    if (worker !== undefined) report.invocations++;
    if (caller.subrequests > this.#limits.subrequests)
      this.#refuse(`${report.name}: ${call} is above ${this.#limits.subrequests} subrequests`);
    if (report.invocations > this.#limits.invocations)
      this.#refuse(`${report.name}: ${call} is above ${this.#limits.invocations} worker invocations`);
    const place = request.callsEnded + 1;
    await this.hold(call);
    if (worker === undefined) {
      const returned = await run();
      request.callsEnded = Math.max(request.callsEnded, place);
      return returned;
    }
    // What the invocation calls follows the call itself.
    request.callsEnded = Math.max(request.callsEnded, place);
    return this.#current.run({ worker, subrequests: 0, request }, run);
  }

  #refuse(text: string): never {
    this.exceeded.push(text);
    throw new Error(text);
  }
}

const isOneOf = (names: readonly string[], property: string | symbol): property is string =>
  names.some((name) => name === property);
