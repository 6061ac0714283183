import type {
  LocationApi,
  ProductApi,
  RecommendationApi,
  TrainerApi,
  UserApi,
} from "../../shared/contracts/services.ts";

/** The workers behind the gateway. */
export interface Services {
  recommendation: RecommendationApi;
  user: UserApi;
  product: ProductApi;
  location: LocationApi;
  trainer: TrainerApi;
}

/** The bindings, seen through the contracts. */
export const services = (env: GatewayEnv): Services => ({
  recommendation: env.RECOMMENDATION,
  user: env.USER,
  product: env.PRODUCT,
  location: env.LOCATION,
  trainer: env.TRAINER,
});
