import type { GithubInstallationView, GithubPermissions, GithubRepositoryView } from '@baton/protocol'

/** An installation as GitHub answers it. */
export type InstallationAnswer = {
  id: number
  account: { login?: string; slug?: string; type?: string } | null
  repository_selection: string
  permissions: GithubPermissions
  suspended_at: string | null
  html_url: string
}

export const toInstallation = (one: InstallationAnswer): GithubInstallationView => ({
  id: one.id,
  account: one.account?.login ?? one.account?.slug ?? '',
  accountType: one.account?.type ?? 'Enterprise',
  repositorySelection: one.repository_selection,
  permissions: one.permissions,
  suspended: one.suspended_at !== null,
  url: one.html_url,
})

export type RepositoryAnswer = {
  id: number
  full_name: string
  private: boolean
  default_branch: string
  html_url: string
}

export const toRepository = (one: RepositoryAnswer): GithubRepositoryView => ({
  id: one.id,
  fullName: one.full_name,
  private: one.private,
  defaultBranch: one.default_branch,
  url: one.html_url,
})
