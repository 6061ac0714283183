import { liveHeaders } from "../../../shared/contracts/live.ts";
import type { GatewayServices } from "../services.ts";

/** Services that go on as they are, and the applications of which they were asked. */
export function recordApplications(services: GatewayServices): {
  services: GatewayServices;
  applications: Set<unknown>;
} {
  const applications = new Set<unknown>();
  const watch = <S extends object>(service: S): S =>
    new Proxy(service, {
      get(target, method) {
        const called: unknown = Reflect.get(target, method);
        if (typeof called !== "function") return called;
        return (...given: unknown[]) => {
          const [first] = given;
          // The gazetteer is everybody's.
          if (first instanceof Request) applications.add(first.headers.get(liveHeaders.application));
          else if (method !== "resolve") applications.add(first);
          return called(...given);
        };
      },
    });
  const { recommendation, user, product, location, trainer } = services;
  return {
    applications,
    services: {
      recommendation: watch(recommendation),
      user: watch(user),
      product: watch(product),
      location: watch(location),
      trainer: watch(trainer),
    },
  };
}
