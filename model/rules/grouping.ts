import type { AttributeType, AttributeTypes } from "../../shared/contracts/catalog-schema.ts";
import type { Columns } from "../columns/columns.ts";
import { noString } from "../columns/layout.ts";
import { attributeColumn, isNone } from "../columns/optional-columns.ts";
import { optionalColumn } from "../columns/optional-values.ts";
import type { RuleContext } from "./rule.ts";

/** The groups of a block's products: row `i` is in the groups `items[starts[i]]` to `items[starts[i + 1] - 1]`. */
export interface GroupColumn {
  starts: Uint32Array;
  items: Uint32Array;
}

/** Values of a property: row `i` has the elements `starts[i]` to `starts[i + 1] - 1`; one for each row without `starts`. */
interface PropertyValues {
  starts?: Uint32Array;
  elements: ArrayLike<number>;
  /** Whether the elements are indices into the block's dictionary. */
  isText: boolean;
  isNone(element: number): boolean;
}

const texts = (elements: ArrayLike<number>, starts?: Uint32Array): PropertyValues => ({
  ...{ elements, isText: true, isNone: (element) => element === noString },
  ...(starts ? { starts } : {}),
});

/** Returns the values of an optional column; null if no row of the block has one. */
function optionalValues(columns: Columns, name: string, type: AttributeType): PropertyValues | null {
  if (type === "list") {
    const list = optionalColumn(columns, name, type);
    return list && texts(list.items, list.starts);
  }
  if (type === "string") {
    const strings = optionalColumn(columns, name, type);
    return strings && texts(strings.values);
  }
  const column = optionalColumn(columns, name, type);
  return (
    column && { elements: column.values, isText: false, isNone: (element: number) => isNone(type, element) }
  );
}

/** Returns how to read a property: `group`, `category`, `brand`, or `attributes.` and the name of a filterable attribute. */
function readProperty(by: string, attributes: AttributeTypes): (columns: Columns) => PropertyValues | null {
  if (by === "group") return ({ groupId }) => texts(groupId);
  if (by === "category") return ({ category }) => texts(category);
  if (by === "brand") return (columns) => optionalValues(columns, "brand", "string");
  const name = by.replace(/^attributes\./, "");
  if (!Object.hasOwn(attributes, name))
    throw new Error(`a rule groups products by ${by}, which is no filterable attribute`);
  return (columns) => optionalValues(columns, attributeColumn(name), attributes[name]);
}

/**
 * The groups that one property forms, as numbers from 0 that are the same in all blocks. A product is in no group if it has
 * no value, and in one group for each value of a list.
 */
export class Groups {
  readonly #read: (columns: Columns) => PropertyValues | null;
  readonly #numbers = new Map<string | number, number>();
  readonly #columns = new Map<Columns, GroupColumn>();
  #block: Columns | null = null;
  #column: GroupColumn = { starts: new Uint32Array(0), items: new Uint32Array(0) };

  /** Throws if the property is an attribute that the context does not name. */
  constructor(by: string, { expressions }: RuleContext) {
    this.#read = readProperty(by, expressions?.attributes ?? {});
  }

  /** Returns the groups of a block's products. */
  of(block: Columns): GroupColumn {
    if (block === this.#block) return this.#column;
    let column = this.#columns.get(block);
    if (!column) {
      column = this.#number(block);
      this.#columns.set(block, column);
    }
    this.#block = block;
    this.#column = column;
    return column;
  }

  #number(block: Columns): GroupColumn {
    const starts = new Uint32Array(block.count + 1);
    const values = this.#read(block);
    if (!values) return { starts, items: new Uint32Array(0) };
    const { elements, isText } = values;
    const items = new Uint32Array(elements.length);
    // The number of each string of the dictionary, plus one; 0 while it is unknown.
    const known = isText ? new Uint32Array(block.strings.length) : null;
    let length = 0;
    for (let row = 0; row < block.count; row++) {
      const end: number = values.starts ? values.starts[row + 1] : row + 1;
      for (let i: number = values.starts ? values.starts[row] : row; i < end; i++) {
        const element = elements[i];
        if (values.isNone(element)) continue;
        if (!known) items[length++] = this.#numberOf(element);
        else {
          if (known[element] === 0) known[element] = this.#numberOf(block.strings[element]) + 1;
          items[length++] = known[element] - 1;
        }
      }
      starts[row + 1] = length;
    }
    return { starts, items };
  }

  #numberOf(value: string | number): number {
    let number = this.#numbers.get(value);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(value, number);
    }
    return number;
  }
}
