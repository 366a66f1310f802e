import type {
  GithubAppView,
  GithubCheck,
  GithubInstallationView,
  GithubRepositoryView,
  GithubSetupView,
} from '@baton/protocol'
import type { Call } from './call.ts'
import type { Raw } from './connect.ts'

/** GitHub Apps of the organization. `webUrl` is for GitHub Enterprise Server. */
export type Github = {
  list(): Promise<GithubAppView[]>
  /** Answers a page to open in a browser; `setup` then has the App. */
  beginSetup(input?: { webUrl?: string; owner?: string; name?: string }): Promise<GithubSetupView>
  setup(id: string): Promise<GithubSetupView>
  register(input: {
    webUrl?: string
    appId: number
    privateKey: string
    webhookSecret: string
  }): Promise<GithubAppView>
  installations(id: string): Promise<GithubInstallationView[]>
  repositories(input: {
    id: string
    installationId: number
    page?: number
  }): Promise<{ items: GithubRepositoryView[]; total: number; nextPage: number | null }>
  doctor(id: string): Promise<GithubCheck[]>
  /** Looks for missed deliveries now. */
  redeliver(id: string): Promise<GithubAppView>
  remove(id: string): Promise<{ id: string; settingsUrl: string }>
}

export function createGithub(raw: Raw, call: Call): Github {
  const { github } = raw.integrations
  return {
    list: () => call(github.list.query()),
    beginSetup: (input = {}) => call(github.beginSetup.mutate(input)),
    setup: (id) => call(github.setup.query({ id })),
    register: (input) => call(github.register.mutate(input)),
    installations: (id) => call(github.installations.query({ id })),
    repositories: (input) => call(github.repositories.query(input)),
    doctor: (id) => call(github.doctor.query({ id })),
    redeliver: (id) => call(github.redeliver.mutate({ id })),
    remove: (id) => call(github.remove.mutate({ id })),
  }
}
