import type { ColumnType } from 'kysely'

/** A time that the database writes by itself when a row is made. */
export type Made = ColumnType<Date, Date | undefined, never>
/** A jsonb column: objects go in and come out as they are. */
export type JsonColumn<T> = ColumnType<T, T, T>
export type JsonDefault<T> = ColumnType<T, T | undefined, T>
