import { ApiDocsPage } from './api-docs-page.tsx'

/** The same page for whoever is not signed in: it says nothing about what is in this relay. */
export function PublicApiDocs() {
  return (
    <main className="h-full overflow-y-auto">
      <p className="border-b border-line bg-card px-4 py-2 sm:px-6">
        You are not signed in.{' '}
        <a href="/" className="font-medium text-accent underline">
          Sign in
        </a>
      </p>
      <ApiDocsPage />
    </main>
  )
}
