/** The services that a delivery calls. */
const services = ["USER", "LOCATION", "PRODUCT"] as const;
type Services = Pick<RecommendationEnv, (typeof services)[number]>;

/** Worker invocations of a request that the platform allows, without the one that it began with. */
const maxCalls = 31;
/** Calls of other workers that the delivery of one application's messages takes at most, but for very many cells. */
const callsPerDelivery = 9;

/**
 * Counts the calls of other workers that a request makes: the platform allows 32 invocations and refuses further ones.
 */
export class CallBudget {
  #left = maxCalls;

  /** Returns whether one more delivery is within the limit. */
  mayTry = (): boolean => this.#left >= callsPerDelivery;

  /** Returns an environment whose calls of services are counted. */
  count<E extends Services>(env: E): E {
    const counted = services.map((name) => [name, this.#counted(env[name])] as const);
    return { ...env, ...Object.fromEntries(counted) };
  }

  #counted<S extends object>(service: S): S {
    return new Proxy(service, {
      get: (target, method) => {
        if (typeof Reflect.get(target, method) !== "function") return Reflect.get(target, method);
        return (...args: unknown[]): unknown => {
          this.#left--;
          // Each property of a service binding is a remote method, also `apply`, so the method is called by its name.
          return (target as Record<PropertyKey, (...values: unknown[]) => unknown>)[method](...args);
        };
      },
    });
  }
}
