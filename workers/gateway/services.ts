import type { LocationApi } from "../../shared/services/location-api.ts";
import type { ProductApi } from "../../shared/services/product-api.ts";
import type { RecommendationApi } from "../../shared/services/recommendation-api.ts";
import type { TrainerApi } from "../../shared/services/trainer-api.ts";
import type { UserApi } from "../../shared/services/user-api.ts";

/** RPC clients of the workers that the gateway calls. */
export interface GatewayServices {
  recommendation: RecommendationApi;
  user: UserApi;
  product: ProductApi;
  location: LocationApi;
  trainer: TrainerApi;
}

/** Returns the service bindings of an environment, typed by the RPC contracts. */
export const gatewayServices = (env: GatewayEnv): GatewayServices => ({
  recommendation: env.RECOMMENDATION,
  user: env.USER,
  product: env.PRODUCT,
  location: env.LOCATION,
  trainer: env.TRAINER,
});
