import { z } from 'zod'

/** The fields of exported rows, each as narrow as what the database can hold. */
export const text = (max: number) => z.string().max(max)
export const maybeText = (max: number) => text(max).nullable()
export const LONG = 8 * 1024 * 1024
export const count = z.number().int().nonnegative()
export const hash = z.string().regex(/^[0-9a-f]{64}$/)
/** To the microsecond, as the database keeps it. */
export const stamp = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
export const maybeStamp = stamp.nullable()
