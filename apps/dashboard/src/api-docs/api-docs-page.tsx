import { useQuery } from '@tanstack/react-query'
import { useId, useState } from 'react'
import { Empty, Loaded, Page } from '../elements/page.tsx'
import { EndpointEntry } from './endpoint-entry.tsx'
import { findEndpoints, OPEN_API_PATH, type OpenApi, openApiQuery } from './open-api.ts'

/** The REST API, made from its own description. It needs nobody to be signed in. */
export function ApiDocsPage() {
  const document = useQuery(openApiQuery)
  return (
    <Page
      title="REST API"
      lead="Everything that can be asked of this relay over HTTP with an API token."
      actions={
        <a
          href={OPEN_API_PATH}
          className="inline-flex min-h-9 items-center rounded-lg border border-line-strong/60 bg-card px-3 font-medium hover:bg-hover"
        >
          openapi.json
        </a>
      }
    >
      <Loaded answer={document} of="the description of the API">
        {(found) => <Endpoints document={found} />}
      </Loaded>
    </Page>
  )
}

function Endpoints({ document }: { document: OpenApi }) {
  const [search, setSearch] = useState('')
  const id = useId()
  const endpoints = findEndpoints(document, search)
  const groups = document.tags
    .map((tag) => ({
      ...tag,
      endpoints: endpoints.filter(({ operation }) => operation.tags[0] === tag.name),
    }))
    .filter((group) => group.endpoints.length > 0)
  return (
    <>
      <div className="mb-5 space-y-3">
        <p className="text-soft">
          {document.info.description} Refusals are{' '}
          <code className="font-mono text-[13px]">application/problem+json</code>; the manual says more about
          scopes, idempotency keys, pages, ETags and limits: docs/api.md.
        </p>
        <label htmlFor={id} className="block">
          <span className="sr-only">Search the endpoints</span>
          <input
            id={id}
            type="search"
            className="field"
            placeholder="Search: cancel run, POST jobs, scope admin…"
            value={search}
            onChange={(event) => setSearch(event.target.value)}
          />
        </label>
        <p role="status" className="sr-only">
          {endpoints.length} endpoints
        </p>
      </div>
      {groups.length === 0 && <Empty title="No endpoint has all of these words." />}
      {groups.map((group) => (
        <section key={group.name} className="mb-6">
          <h2 id={group.name} className="text-base font-semibold">
            {group.name}
          </h2>
          <p className="mb-2 text-soft">{group.description}</p>
          <div className="card overflow-hidden">
            {group.endpoints.map((endpoint) => (
              <EndpointEntry key={endpoint.operation.operationId} document={document} endpoint={endpoint} />
            ))}
          </div>
        </section>
      ))}
    </>
  )
}
