import { liveHeaders } from "../../../shared/contracts/live.ts";
import type { LocationApi } from "../../../shared/services/location-api.ts";
import type { GatewayServices } from "../services.ts";

/** The only method whose first argument is not an application: all applications share the gazetteer. */
const sharedMethod: keyof LocationApi = "resolveLocation";

/**
 * Wraps services so that the applications for which they are called are recorded. Returns the wrapped services and the
 * set of applications, which grows with each call.
 */
export function recordApplications(services: GatewayServices): {
  services: GatewayServices;
  applications: Set<unknown>;
} {
  const applications = new Set<unknown>();
  const wrap = <S extends object>(service: S): S =>
    new Proxy(service, {
      get(target, method) {
        const member: unknown = Reflect.get(target, method);
        if (typeof member !== "function") return member;
        return (...args: unknown[]) => {
          const [first] = args;
          if (first instanceof Request) applications.add(first.headers.get(liveHeaders.application));
          else if (method !== sharedMethod) applications.add(first);
          return member(...args);
        };
      },
    });
  const { recommendation, user, product, location, trainer } = services;
  return {
    applications,
    services: {
      recommendation: wrap(recommendation),
      user: wrap(user),
      product: wrap(product),
      location: wrap(location),
      trainer: wrap(trainer),
    },
  };
}
