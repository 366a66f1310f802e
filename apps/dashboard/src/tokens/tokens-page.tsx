import type { TokenView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { useAction } from '../api/use-action.ts'
import { Button } from '../elements/button.tsx'
import { ConfirmDialog } from '../elements/dialog.tsx'
import { Empty, Loaded, Page } from '../elements/page.tsx'
import { Ago } from '../elements/time.tsx'
import { CreateToken } from './create-token.tsx'
import { tokensQuery } from './tokens-query.ts'

/** The API tokens of the organization: what each may do, when it was last used, and its end. */
export function TokensPage() {
  const { client } = useApi()
  const tokens = useQuery(tokensQuery(client))
  const [making, setMaking] = useState(false)
  const [ending, setEnding] = useState<TokenView | null>(null)
  return (
    <Page
      title="API tokens"
      lead={
        <>
          For programs of yours, the command line and CI.{' '}
          <Link to="/docs/api" className="font-medium text-accent underline">
            What can be asked
          </Link>
        </>
      }
      actions={
        <Button look="main" icon={<Plus size={16} aria-hidden />} onClick={() => setMaking(true)}>
          New token
        </Button>
      }
    >
      <Loaded answer={tokens} of="the API tokens">
        {(all) =>
          all.length === 0 ? (
            <Empty title="There is no API token yet." />
          ) : (
            <ul aria-label="API tokens" className="card divide-y divide-line">
              {inOrder(all).map((token) => (
                <Row key={token.id} token={token} onEnd={() => setEnding(token)} />
              ))}
            </ul>
          )
        }
      </Loaded>
      {making && <CreateToken onClose={() => setMaking(false)} />}
      {ending && <EndToken token={ending} onClose={() => setEnding(null)} />}
    </Page>
  )
}

function Row({ token, onEnd }: { token: TokenView; onEnd: () => void }) {
  const isOver = token.revokedAt !== null
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-3">
      <div className="min-w-0 flex-1 basis-56">
        <p className={`font-medium [overflow-wrap:anywhere] ${isOver ? 'text-soft line-through' : ''}`}>
          {token.name}
        </p>
        <p className="text-[13px] text-soft">
          made <Ago at={token.createdAt} />,{' '}
          {token.lastUsedAt === null ? (
            'never used'
          ) : (
            <>
              last used <Ago at={token.lastUsedAt} />
            </>
          )}
        </p>
      </div>
      <p className="flex flex-wrap gap-1.5">
        {token.scopes.map((scope) => (
          <span key={scope} className="rounded-md bg-sunk px-1.5 py-0.5 font-mono text-xs">
            {scope}
          </span>
        ))}
      </p>
      {isOver ? (
        <span className="text-soft">revoked</span>
      ) : (
        <Button small look="danger" aria-label={`Revoke ${token.name}`} onClick={onEnd}>
          Revoke
        </Button>
      )}
    </li>
  )
}

function EndToken({ token, onClose }: { token: TokenView; onClose: () => void }) {
  const revoke = useAction('revoking the token', (api, id: string) => api.tokens.revoke.mutate({ id }))
  return (
    <ConfirmDialog
      title={`Revoke ${token.name}?`}
      confirm="Revoke it"
      busy={revoke.busy}
      problem={revoke.problem}
      onConfirm={() => revoke.start(token.id, onClose)}
      onClose={onClose}
    >
      <p>Whoever uses it is refused at once. A revoked token never works again; a new one can be made.</p>
    </ConfirmDialog>
  )
}

/** Those that work first, the newest of them on top. */
const inOrder = (tokens: readonly TokenView[]) =>
  tokens.toSorted(
    (one, other) =>
      Number(one.revokedAt !== null) - Number(other.revokedAt !== null) || other.createdAt - one.createdAt,
  )
