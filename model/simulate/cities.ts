/** A city of the simulated marketplace: location from GeoNames, currency code from ISO 4217. */
export interface SimulatedCity {
  name: string;
  country: string;
  lat: number;
  lon: number;
  currency: string;
  /** Approximate units of the currency that buy as much as one euro, so that prices look realistic. */
  priceLevel: number;
}

const city = (
  name: string,
  country: string,
  lat: number,
  lon: number,
  currency: string,
  priceLevel: number,
): SimulatedCity => ({
  name,
  country,
  lat,
  lon,
  currency,
  priceLevel,
});

/** The cities of the demo; earlier cities have more products and users. */
export const simulatedCities: readonly SimulatedCity[] = [
  city("New York City", "US", 40.71427, -74.00597, "USD", 1.1),
  city("Paris", "FR", 48.85341, 2.3488, "EUR", 1),
  city("London", "GB", 51.50853, -0.12574, "GBP", 0.85),
  city("Tokyo", "JP", 35.6895, 139.69171, "JPY", 160),
  city("Mexico City", "MX", 19.42847, -99.12766, "MXN", 20),
  city("São Paulo", "BR", -23.5475, -46.63611, "BRL", 6),
  city("Delhi", "IN", 28.65195, 77.23149, "INR", 90),
  city("Singapore", "SG", 1.28967, 103.85007, "SGD", 1.45),
  city("Berlin", "DE", 52.52437, 13.41053, "EUR", 1),
  city("Madrid", "ES", 40.4165, -3.70256, "EUR", 1),
  city("Rome", "IT", 41.89193, 12.51133, "EUR", 1),
  city("Amsterdam", "NL", 52.37403, 4.88969, "EUR", 1),
  city("Stockholm", "SE", 59.32938, 18.06871, "SEK", 11),
  city("Oslo", "NO", 59.91273, 10.74609, "NOK", 11.5),
  city("Copenhagen", "DK", 55.67594, 12.56553, "DKK", 7.5),
  city("Helsinki", "FI", 60.16952, 24.93545, "EUR", 1),
  city("Warsaw", "PL", 52.22977, 21.01178, "PLN", 4.3),
  city("Prague", "CZ", 50.08804, 14.42076, "CZK", 25),
  city("Vienna", "AT", 48.20849, 16.37208, "EUR", 1),
  city("Zürich", "CH", 47.36667, 8.55, "CHF", 0.95),
  city("Lisbon", "PT", 38.71667, -9.13333, "EUR", 1),
  city("Dublin", "IE", 53.33306, -6.24889, "EUR", 1),
  city("Istanbul", "TR", 41.01384, 28.94966, "TRY", 40),
  city("Athens", "GR", 37.98376, 23.72784, "EUR", 1),
  city("Cairo", "EG", 30.06263, 31.24967, "EGP", 52),
  city("Lagos", "NG", 6.45407, 3.39467, "NGN", 1700),
  city("Nairobi", "KE", -1.28333, 36.81667, "KES", 140),
  city("Cape Town", "ZA", -33.92584, 18.42322, "ZAR", 20),
  city("Dubai", "AE", 25.07725, 55.30927, "AED", 4),
  city("Mumbai", "IN", 19.07283, 72.88261, "INR", 90),
  city("Bangkok", "TH", 13.75398, 100.50144, "THB", 38),
  city("Jakarta", "ID", -6.21462, 106.84513, "IDR", 17_500),
  city("Manila", "PH", 14.6042, 120.9822, "PHP", 62),
  city("Hong Kong", "HK", 22.27832, 114.17469, "HKD", 8.5),
  city("Seoul", "KR", 37.566, 126.9784, "KRW", 1500),
  city("Taipei", "TW", 25.04776, 121.53185, "TWD", 35),
  city("Sydney", "AU", -33.86785, 151.20732, "AUD", 1.7),
  city("Melbourne", "AU", -37.814, 144.96332, "AUD", 1.7),
  city("Auckland", "NZ", -36.84853, 174.76349, "NZD", 1.85),
  city("Toronto", "CA", 43.70643, -79.39864, "CAD", 1.5),
  city("Chicago", "US", 41.85003, -87.65005, "USD", 1.1),
  city("Los Angeles", "US", 34.05223, -118.24368, "USD", 1.1),
  city("San Francisco", "US", 37.77493, -122.41942, "USD", 1.1),
  city("Buenos Aires", "AR", -34.61315, -58.37723, "ARS", 1200),
  city("Bogotá", "CO", 4.60971, -74.08175, "COP", 4500),
  city("Santiago", "CL", -33.45694, -70.64827, "CLP", 1000),
];
