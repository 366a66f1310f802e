/**
 * Holds a schema of an answer and its type in views.ts together: `satisfies` would let a field be forgotten, this does
 * not compile until both say the same, field for field.
 */
export type Same<Schema, View> =
  Equal<Plain<Schema>, Plain<View>> extends true ? true : { expected: Plain<View>; got: Plain<Schema> }

/** Use: `same<Same<z.infer<typeof jobView>, JobView>>()`. It does nothing when it runs. */
export const same = <_T extends true>(): void => {}

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** The same type with its intersections written out. */
type Plain<T> = unknown extends T
  ? T
  : T extends string | number | boolean | null | undefined
    ? T
    : { [K in keyof T]: Plain<T[K]> }
