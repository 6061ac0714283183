import { services, sessionEnvironment } from "./services.ts";

/** Returns the services, and the counts of their calls by service and method. */
export function countingServices() {
  const calls: Record<string, number> = {};
  const counting = <T extends object>(name: string, service: T): T =>
    new Proxy(service, {
      get: (target, method) => {
        const value = Reflect.get(target, method);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          const call = `${name}.${String(method)}`;
          calls[call] = (calls[call] ?? 0) + 1;
          // An RPC stub treats every property as a remote method, so `value.apply` does not work.
          return (target as Record<PropertyKey, (...values: unknown[]) => unknown>)[method](...args);
        };
      },
    });
  return {
    calls,
    env: {
      LOCATION: counting("location", services.LOCATION),
      PRODUCT: counting("product", services.PRODUCT),
      USER_SESSION: new Proxy(sessionEnvironment.USER_SESSION, {
        get: (namespace, name) => {
          const value = Reflect.get(namespace, name);
          if (name === "get") return (...args: [DurableObjectId]) => counting("user", namespace.get(...args));
          return typeof value === "function" ? value.bind(namespace) : value;
        },
      }),
    },
  };
}
