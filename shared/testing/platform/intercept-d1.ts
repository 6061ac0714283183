/** Runs a call of a database, with what a test does before and after it. */
export type InterceptCall = <T>(work: () => Promise<T>) => Promise<T>;

const calls: readonly (string | symbol)[] = ["first", "run", "all", "raw", "batch", "exec", "dump"];

/** Returns a database each call of which passes a function of the test: a query, or a batch as a whole. */
export function interceptD1(database: D1Database, intercept: InterceptCall): D1Database {
  const originals = new WeakMap<object, D1PreparedStatement>();
  const wrapStatement = (statement: D1PreparedStatement): D1PreparedStatement => {
    const wrapped: D1PreparedStatement = new Proxy(statement, {
      get(target, name) {
        if (name === "bind") return (...values: unknown[]) => wrapStatement(target.bind(...values));
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== "function") return method;
        return calls.includes(name)
          ? (...args: unknown[]) => intercept(() => method.apply(target, args))
          : method.bind(target);
      },
    });
    originals.set(wrapped, statement);
    return wrapped;
  };
  return new Proxy(database, {
    get(target, name) {
      if (name === "prepare") return (sql: string) => wrapStatement(target.prepare(sql));
      if (name === "batch")
        return (statements: D1PreparedStatement[]) =>
          intercept(() => target.batch(statements.map((each) => originals.get(each) ?? each)));
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return calls.includes(name)
        ? (...args: unknown[]) => intercept(() => value.apply(target, args))
        : value.bind(target);
    },
  });
}
