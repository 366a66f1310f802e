import { CopyLine } from '../elements/copy-button.tsx'
import { Problem } from '../elements/dialog.tsx'
import { useTitle } from '../elements/page.tsx'

/** Nobody is signed in: says how to get a sign-in link, and why the last one did not work. */
export function SignedOutPage({ problem }: { problem: string | null }) {
  useTitle('Sign in')
  return (
    <main className="grid min-h-full place-items-center p-4">
      <div className="card w-full max-w-md space-y-4 p-6 sm:p-8">
        <img src="/baton.svg" alt="" width="40" height="40" />
        <div>
          <h1 className="text-xl font-semibold tracking-tight">Sign in to Baton</h1>
          <p className="mt-1 text-soft">
            There is no password. You sign in with a one-time link from the command line of a computer that is
            signed in to this relay.
          </p>
        </div>
        <Problem text={problem} />
        <div className="space-y-2">
          <p>Print a link and open it:</p>
          <CopyLine text="npx baton open" />
        </div>
        <p className="text-soft">
          When you run this relay yourself with <code className="font-mono">npm start</code>, a link is
          printed at the end of its start.
        </p>
      </div>
    </main>
  )
}
