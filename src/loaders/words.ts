/** How a dialect writes what people are looked for with. Parts are SQL unless they are said to be names. */
export interface Words {
  /** A table's name in full. */
  readonly named: (table: string) => string;
  /** A column's name. */
  readonly quoted: (column: string) => string;
  /** A name of an answer's column, as `Dialect` documents them. */
  readonly alias: (name: string) => string;
  readonly literal: (text: string) => string;
  /** A plain value as text. */
  readonly text: (value: string) => string;
  /** JSON as text without spaces. */
  readonly json: (value: string) => string;
  /** Value of a member of a JSON object as text; null if it is no object or has none. */
  readonly member: (value: string, path: readonly string[]) => string;
  /** Whether a text has another in it. */
  readonly contains: (text: string, part: string) => string;
}
