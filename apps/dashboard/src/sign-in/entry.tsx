import { useQuery, useQueryClient } from '@tanstack/react-query'
import { lazy, type ReactNode, Suspense, useEffect, useRef, useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { errorSentence, isSignedOut } from '../api/api-error.ts'
import { meQuery } from '../api/queries.ts'
import { Failure } from '../elements/page.tsx'
import { SignedOutPage } from './signed-out-page.tsx'

const PublicApiDocs = lazy(async () => ({
  default: (await import('../api-docs/public-api-docs.tsx')).PublicApiDocs,
}))

/** The door: redeems a sign-in link when the address carried one, then lets signed-in people through. */
export function Entry({ claim, children }: { claim: string | null; children: ReactNode }) {
  const { client } = useApi()
  const redeeming = useRedeem(claim)
  const me = useQuery({ ...meQuery(client), enabled: redeeming.settled })
  if (!redeeming.settled || me.isPending) return <Waiting text={claim ? 'Signing you in…' : 'Loading…'} />
  if (isSignedOut(me.error)) {
    // The description of the API says nothing about what is in this relay.
    if (window.location.pathname === '/docs/api')
      return (
        <Suspense fallback={<Waiting text="Loading…" />}>
          <PublicApiDocs />
        </Suspense>
      )
    return <SignedOutPage problem={redeeming.problem} />
  }
  if (me.data === undefined) {
    return (
      <main className="mx-auto max-w-lg p-6">
        <Failure error={me.error} of="the dashboard" retry={me.refetch} />
      </main>
    )
  }
  return children
}

/** A link works once, so it is redeemed exactly once, whatever React does with effects. */
function useRedeem(claim: string | null) {
  const { client } = useApi()
  const queryClient = useQueryClient()
  const started = useRef(false)
  const [settled, setSettled] = useState(claim === null)
  const [problem, setProblem] = useState<string | null>(null)
  useEffect(() => {
    if (claim === null || started.current) return
    started.current = true
    client.auth.redeemLink
      .mutate({ secret: claim })
      .then((me) => queryClient.setQueryData(meQuery(client).queryKey, me))
      .catch((error: unknown) => setProblem(errorSentence(error, 'using the sign-in link')))
      .finally(() => setSettled(true))
  }, [claim, client, queryClient])
  return { settled, problem }
}

function Waiting({ text }: { text: string }) {
  return (
    <main role="status" className="grid h-full place-items-center text-soft">
      {text}
    </main>
  )
}
