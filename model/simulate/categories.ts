/** A category of the simulated marketplace. */
export interface SimulatedCategory {
  name: string;
  /** Typical price in euros. */
  price: number;
  /** A title is one adjective and one noun. */
  adjectives: readonly string[];
  nouns: readonly string[];
  /** Relative demand at the local hours 0, 3, 6 ... 21; {@link categoryDemand} interpolates between them. */
  hourlyDemand: readonly [number, number, number, number, number, number, number, number];
  /** Factor on the demand on Saturdays and Sundays. */
  weekendFactor: number;
  /** The category that users tend to choose next. */
  nextCategory: string;
}

/** The twelve categories, each with its own daily and weekly demand. */
export const simulatedCategories: readonly SimulatedCategory[] = [
  {
    name: "coffee",
    price: 4,
    adjectives: ["Slow", "Roasted", "Corner", "Morning"],
    nouns: ["Flat White", "Espresso", "Filter", "Cappuccino"],
    hourlyDemand: [0.1, 0.05, 1.5, 2.5, 1.2, 1.5, 0.6, 0.3],
    weekendFactor: 0.9,
    nextCategory: "bakery",
  },
  {
    name: "bakery",
    price: 5,
    adjectives: ["Golden", "Warm", "Rye", "Butter"],
    nouns: ["Croissant", "Loaf", "Bun", "Tart"],
    hourlyDemand: [0.1, 0.2, 2, 2.2, 1, 0.9, 0.5, 0.2],
    weekendFactor: 1.3,
    nextCategory: "groceries",
  },
  {
    name: "lunch",
    price: 12,
    adjectives: ["Green", "Quick", "Hearty", "Daily"],
    nouns: ["Bowl", "Sandwich", "Soup", "Plate"],
    hourlyDemand: [0, 0, 0.1, 0.6, 3, 0.8, 0.4, 0.2],
    weekendFactor: 0.6,
    nextCategory: "coffee",
  },
  {
    name: "dinner",
    price: 28,
    adjectives: ["Fire", "House", "Seasonal", "Long"],
    nouns: ["Table", "Tasting", "Grill", "Noodles"],
    hourlyDemand: [0.2, 0, 0, 0.1, 0.8, 0.5, 3, 1.8],
    weekendFactor: 1.5,
    nextCategory: "bars",
  },
  {
    name: "bars",
    price: 11,
    adjectives: ["Velvet", "Low", "Copper", "Late"],
    nouns: ["Cocktail", "Pint", "Highball", "Spritz"],
    hourlyDemand: [1.6, 0.4, 0, 0, 0.2, 0.5, 1.6, 3],
    weekendFactor: 1.8,
    nextCategory: "dinner",
  },
  {
    name: "groceries",
    price: 18,
    adjectives: ["Local", "Fresh", "Market", "Family"],
    nouns: ["Box", "Basket", "Greens", "Pantry"],
    hourlyDemand: [0.1, 0.1, 0.8, 1.2, 1, 1.4, 2, 0.6],
    weekendFactor: 1.2,
    nextCategory: "home",
  },
  {
    name: "fashion",
    price: 55,
    adjectives: ["Linen", "Classic", "Urban", "Soft"],
    nouns: ["Jacket", "Shirt", "Dress", "Sneakers"],
    hourlyDemand: [0.2, 0, 0.1, 0.7, 1.4, 1.6, 1.4, 0.8],
    weekendFactor: 1.6,
    nextCategory: "beauty",
  },
  {
    name: "beauty",
    price: 32,
    adjectives: ["Clear", "Bright", "Calm", "Pure"],
    nouns: ["Serum", "Haircut", "Manicure", "Balm"],
    hourlyDemand: [0.1, 0, 0.2, 1, 1.2, 1.6, 1.2, 0.6],
    weekendFactor: 1.3,
    nextCategory: "fashion",
  },
  {
    name: "books",
    price: 16,
    adjectives: ["Quiet", "Second", "Paper", "Small"],
    nouns: ["Novel", "Atlas", "Comic", "Essay"],
    hourlyDemand: [0.3, 0.1, 0.3, 0.8, 1.2, 1.4, 1.2, 1],
    weekendFactor: 1.3,
    nextCategory: "coffee",
  },
  {
    name: "fitness",
    price: 20,
    adjectives: ["Early", "Open", "Strong", "Flow"],
    nouns: ["Class", "Session", "Climb", "Swim"],
    hourlyDemand: [0, 0.1, 2.4, 1, 0.8, 1.2, 2.2, 0.5],
    weekendFactor: 0.9,
    nextCategory: "lunch",
  },
  {
    name: "home",
    price: 42,
    adjectives: ["Oak", "Nordic", "Clay", "Plain"],
    nouns: ["Lamp", "Chair", "Vase", "Shelf"],
    hourlyDemand: [0.2, 0, 0.2, 0.8, 1.2, 1.4, 1.4, 0.8],
    weekendFactor: 1.7,
    nextCategory: "groceries",
  },
  {
    name: "electronics",
    price: 120,
    adjectives: ["Smart", "Mini", "Clear", "Pocket"],
    nouns: ["Speaker", "Charger", "Watch", "Camera"],
    hourlyDemand: [0.4, 0.1, 0.2, 0.8, 1.2, 1.3, 1.5, 1.2],
    weekendFactor: 1.3,
    nextCategory: "home",
  },
];

/** Returns the relative demand for a category at a local hour (0 to 23) of a weekday (0 is Monday). */
export function categoryDemand(category: SimulatedCategory, hour: number, weekday: number): number {
  const at = hour / 3;
  const before = Math.floor(at) % 8;
  const share = at - Math.floor(at);
  const level = category.hourlyDemand[before] * (1 - share) + category.hourlyDemand[(before + 1) % 8] * share;
  return level * (weekday >= 5 ? category.weekendFactor : 1);
}
