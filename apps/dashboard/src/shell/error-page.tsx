import { Link } from '@tanstack/react-router'
import { Button } from '../elements/button.tsx'
import { Empty, Page } from '../elements/page.tsx'

/** The page itself broke (or a new version was deployed and an old piece of it is gone): says so and offers a fresh start. */
export function ErrorPage({ error }: { error: unknown }) {
  return (
    <Page title="This page broke">
      <Empty title="The dashboard met an error of its own. Your runs are not touched by it.">
        <pre className="max-w-full overflow-x-auto rounded-lg bg-sunk p-3 font-mono text-[13px]">
          {error instanceof Error ? error.message : String(error)}
        </pre>
        <Button onClick={() => window.location.reload()}>Load the page again</Button>
      </Empty>
    </Page>
  )
}

export function MissingPage() {
  return (
    <Page title="No such page">
      <Empty title="Nothing lives at this address.">
        <Link to="/" className="font-medium text-accent underline">
          Go to the overview
        </Link>
      </Empty>
    </Page>
  )
}
