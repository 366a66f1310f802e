import { GITHUB_EVENTS, GITHUB_PERMISSIONS } from '@baton/protocol'

/** What GitHub is told to make: everything that Baton asks for, no more. */
export function githubManifest(name: string, publicUrl: string): Record<string, unknown> {
  return {
    name,
    url: publicUrl,
    hook_attributes: { url: `${publicUrl}/github/webhook`, active: true },
    redirect_url: `${publicUrl}/github/setup/callback`,
    description: 'Runs coding agents on your own machines when something happens in your repositories.',
    public: false,
    default_permissions: GITHUB_PERMISSIONS,
    default_events: GITHUB_EVENTS,
  }
}

/** GitHub's own address for everything of its API; GitHub Enterprise Server has both below one. */
export function apiUrlOf(webUrl: string): string {
  return webUrl === 'https://github.com' ? 'https://api.github.com' : `${webUrl}/api/v3`
}
