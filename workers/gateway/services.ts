import type {
  LocationApi,
  ProductApi,
  RecommendationApi,
  TrainerApi,
  UserApi,
} from "../../shared/contracts/services.ts";

/** The workers behind the gateway. */
export interface GatewayServices {
  recommendation: RecommendationApi;
  user: UserApi;
  product: ProductApi;
  location: LocationApi;
  trainer: TrainerApi;
}

/** The bindings, seen through the contracts. */
export const gatewayServices = (env: GatewayEnv): GatewayServices => ({
  recommendation: env.RECOMMENDATION,
  user: env.USER,
  product: env.PRODUCT,
  location: env.LOCATION,
  trainer: env.TRAINER,
});
