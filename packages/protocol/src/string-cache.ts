/** Remembers what was made of a few strings; starts anew when there are too many of them. */
export class StringCache<T> {
  readonly #make: (text: string) => T;
  readonly #max: number;
  readonly #made = new Map<string, T>();
  #lastText: string | undefined;
  #last: T | undefined;

  constructor(make: (text: string) => T, max = 1000) {
    this.#make = make;
    this.#max = max;
  }

  get(text: string): T {
    if (text === this.#lastText && this.#last !== undefined) return this.#last;
    let value = this.#made.get(text);
    if (value === undefined) {
      if (this.#made.size >= this.#max) this.#made.clear();
      value = this.#make(text);
      this.#made.set(text, value);
    }
    this.#lastText = text;
    this.#last = value;
    return value;
  }
}
