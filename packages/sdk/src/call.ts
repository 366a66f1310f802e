import { toApiError } from './api-error.ts'

/** Waits for one answer and throws nothing but BatonApiError. */
export type Call = <T>(answer: Promise<T>) => Promise<T>

export function createCall(url: string): Call {
  return async (answer) => {
    try {
      return await answer
    } catch (error) {
      throw toApiError(error, url)
    }
  }
}
