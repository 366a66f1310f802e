import { z } from 'zod'

/**
 * Free text of a runner. Nothing in it may make a report be refused, because a refused report is never settled: what
 * Postgres cannot store (NUL, lone surrogates) is replaced, and what is too long is cut and says so.
 */
export const freeText = (max: number) =>
  z.string().transform((value) => {
    const clean = value.toWellFormed().replaceAll('\0', '\uFFFD')
    return clean.length <= max
      ? clean
      : `${clean
          .slice(0, max - 1)
          .toWellFormed()
          .replace(/\uFFFD$/, '')}…`
  })
