import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { type Api, ApiContext } from './api/api-context.ts'
import { isNotFound, isSignedOut } from './api/api-error.ts'
import { createClient } from './api/client.ts'
import { createConnection } from './api/connection.ts'
import { reloadAfterUpgrade } from './api/reload-after-upgrade.ts'
import './app.css'
import { createAppRouter } from './router.tsx'
import { Entry } from './sign-in/entry.tsx'
import { takeClaim } from './sign-in/take-claim.ts'

const claim = takeClaim(window.location, window.history)
const api: Api = {
  client: createClient(window.location.origin),
  connection: createConnection(),
  origin: window.location.origin,
  queryClient: new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        retry: (failures, error) => failures < 2 && !isSignedOut(error) && !isNotFound(error),
        // Also while the browser thinks it is offline: a relay on loopback is still there.
        networkMode: 'always',
      },
      mutations: { networkMode: 'always' },
    },
  }),
}
const router = createAppRouter()
reloadAfterUpgrade()

// A sign-in link that is opened in a tab with the dashboard only changes the hash: start afresh with it.
window.addEventListener('hashchange', () => {
  if (window.location.hash.startsWith('#claim=')) window.location.reload()
})

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <ApiContext value={api}>
      <QueryClientProvider client={api.queryClient}>
        <Entry claim={claim}>
          <RouterProvider router={router} />
        </Entry>
      </QueryClientProvider>
    </ApiContext>
  </StrictMode>,
)
