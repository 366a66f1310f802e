import { useMutation } from '@tanstack/react-query'
import { useApi } from './api-context.ts'
import { errorSentence } from './api-error.ts'
import type { Client } from './client.ts'

/**
 * A change that a person asks for. `problem` is the sentence to show when it failed. What it changed comes back
 * through the live changes; asking again at once only makes it quicker.
 */
export function useAction<I, O>(doing: string, act: (client: Client, input: I) => Promise<O>) {
  const { client, queryClient } = useApi()
  const mutation = useMutation({
    mutationFn: (input: I) => act(client, input),
    onSettled: () =>
      queryClient.invalidateQueries({ predicate: (query) => query.meta?.changedBy !== undefined }),
  })
  return {
    run: mutation.mutateAsync,
    /** For buttons: the failure is shown as `problem` and not thrown. */
    start: (input: I, done?: (output: O) => void) =>
      mutation.mutate(input, { onSuccess: (output) => done?.(output) }),
    busy: mutation.isPending,
    problem: mutation.error ? errorSentence(mutation.error, doing) : null,
    reset: mutation.reset,
  }
}
