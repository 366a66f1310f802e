import type { QueryClient } from '@tanstack/react-query'
import { createContext, useContext } from 'react'
import type { Client } from './client.ts'
import type { Connection } from './connection.ts'

/** What every page needs to speak with the relay; made once in main.tsx. */
export type Api = { client: Client; connection: Connection; queryClient: QueryClient; origin: string }

export const ApiContext = createContext<Api | null>(null)

export function useApi(): Api {
  const api = useContext(ApiContext)
  if (api === null) throw new Error('useApi must be used inside an ApiContext provider.')
  return api
}
