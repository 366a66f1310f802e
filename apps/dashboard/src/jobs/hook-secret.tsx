import type { WebhookScheme } from '@baton/protocol'
import { CopyBlock, CopyLine } from '../elements/copy-button.tsx'
import { signedCurl } from './signed-curl.ts'

type HookSecretProps = { url: string; scheme: WebhookScheme; secret: string }

/** A secret that is shown this once, and the line that sends a signed request with it. */
export function HookSecret({ url, scheme, secret }: HookSecretProps) {
  const line = signedCurl(url, scheme)
  return (
    <div className="space-y-2 rounded-xl border border-warn/50 bg-warn-soft/60 p-3">
      <p className="font-medium">This secret is shown once. Keep it now.</p>
      <CopyLine text={secret} />
      {line && (
        <>
          <p className="text-soft">
            Try it: with the secret in <code className="font-mono">BATON_HOOK_SECRET</code> (
            <code className="font-mono">read -rs BATON_HOOK_SECRET</code> keeps it out of the shell’s
            history), this sends one signed request.
          </p>
          <CopyBlock text={line} />
        </>
      )}
    </div>
  )
}
