import type { SeededRandom } from '@sluice/testing';
import { randomInteger, randomReal, randomText, randomValue, sqlLiteral } from './nasty-values.ts';
import { COLUMNS } from './rows.ts';
import { tree, type SqlTree } from './sql-tree.ts';

/** A kind of expressions; the report counts them by name. */
export interface Category {
  readonly name: string;
  /** An expression of this kind; undefined when the language of `g` has none. */
  generate(g: Generator): SqlTree | undefined;
}

/** Makes the parts of random expressions. */
export class Generator {
  readonly random: SeededRandom;
  /** 3: the language of the option of edition 3, with all parentheses written. */
  readonly edition: 3 | 4;
  readonly #categories: readonly Category[];
  #depth: number;

  constructor(
    random: SeededRandom,
    edition: 3 | 4,
    categories: readonly Category[],
    depth: number,
  ) {
    this.random = random;
    this.edition = edition;
    this.#categories = categories;
    this.#depth = depth;
  }

  /** An operand: a column, a literal, or a smaller expression of any kind. */
  operand(): SqlTree {
    const inner = this.#inner();
    if (inner === undefined) return this.leaf();
    // Without parentheses the precedence of operators is tested as well.
    return this.edition === 3 || this.random.chance(0.6) ? tree('(#)', inner) : inner;
  }

  /** As `operand`, where only an expression in parentheses may stand. */
  closed(): SqlTree {
    const inner = this.#inner();
    return inner === undefined ? this.leaf() : tree('(#)', inner);
  }

  leaf(): SqlTree {
    if (this.random.chance(0.6)) return tree(this.random.pick(COLUMNS));
    return this.literal(randomValue(this.random));
  }

  literal(value: Parameters<typeof sqlLiteral>[0]): SqlTree {
    const known = sqlLiteral(value) ?? 'NULL';
    // Edition 3 writes neither BLOBs nor exponents.
    const isUnknown = this.edition === 3 && /^x'|^-?[\d.]+e/.test(known);
    const text = isUnknown ? 'NULL' : known;
    // A signed number binds its sign differently in the two grammars when something follows it.
    return tree(text.startsWith('-') ? `(${text})` : text);
  }

  integer(): SqlTree {
    return this.random.chance(0.4) ? tree('i') : this.literal(randomInteger(this.random));
  }

  /** A small integer, as counts and positions are. */
  small(): SqlTree {
    return this.literal(BigInt(this.random.int(12) - 4));
  }

  real(): SqlTree {
    return this.random.chance(0.4) ? tree('r') : this.literal(randomReal(this.random));
  }

  text(): SqlTree {
    return this.random.chance(0.5) ? tree('s') : this.literal(randomText(this.random));
  }

  /** A few operands. */
  several(least: number, most: number): SqlTree[] {
    const count = least + this.random.int(most - least + 1);
    return Array.from({ length: count }, () => this.closed());
  }

  #inner(): SqlTree | undefined {
    if (this.#depth === 0 || this.random.chance(0.45)) return undefined;
    this.#depth--;
    const made = this.random.pick(this.#categories).generate(this);
    this.#depth++;
    return made;
  }
}

/** A call with its arguments. */
export function call(name: string, args: readonly SqlTree[]): SqlTree {
  return tree(`${name}(${args.map(() => '#').join(', ')})`, ...args);
}
