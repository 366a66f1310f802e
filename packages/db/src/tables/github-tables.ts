import type {
  DeliveryId,
  EventId,
  GithubAppId,
  GithubFeedback,
  GithubReconciliation,
  GithubSetupId,
  GithubVerdict,
  OrganizationId,
  TriggerId,
} from '@baton/protocol'
import type { ColumnType, Generated } from 'kysely'
import type { JsonColumn, JsonDefault, Made } from './columns.ts'

/** What is kept of GitHub. */
export type GithubTables = {
  github_apps: {
    id: GithubAppId
    organization_id: OrganizationId
    app_id: number
    slug: string
    name: string
    api_url: string
    web_url: string
    html_url: string
    client_id: string | null
    sealed_private_key: string
    sealed_webhook_secret: string
    sealed_client_secret: string | null
    last_delivery_at: Date | null
    reconciled_to: Generated<Date>
    reconcile_at: Generated<Date>
    reconcile_claim: Generated<number>
    reconcile_claimed_until: Date | null
    reconciliation: JsonColumn<GithubReconciliation | null>
    removed_at: Date | null
    created_at: Made
  }
  github_setups: {
    id: GithubSetupId
    organization_id: OrganizationId
    state_hash: string
    api_url: string
    web_url: string
    owner: string | null
    app_name: string
    app_id: GithubAppId | null
    expires_at: Date
    created_at: Made
  }
  github_events: {
    event_id: EventId
    organization_id: OrganizationId
    github_app_id: GithubAppId
    guid: string
    name: string
    action: string | null
    installation_id: number | null
    repository: string | null
    verdicts: JsonDefault<GithubVerdict[]>
    tries: Generated<number>
    last_error: string | null
    next_at: ColumnType<Date | null, Date | null | undefined, Date | null>
  }
  github_arrivals: {
    organization_id: OrganizationId
    github_app_id: GithubAppId
    guid: string
    event_id: EventId | null
    body_hash: string
    arrived_at: Made
  }
  github_contexts: {
    delivery_id: DeliveryId
    organization_id: OrganizationId
    github_app_id: GithubAppId
    trigger_id: TriggerId
    installation_id: number
    repository_id: number
    repository: string
    number: number | null
    comment_id: number | null
    comment_kind: 'issue' | 'review' | null
    head_sha: string | null
    base_branch: string | null
    text_hash: string
    actor: string
    feedback: JsonColumn<GithubFeedback>
    pushed_branch: string | null
    pushed_commit: string | null
    push_problem: string | null
    done_at: Date | null
    created_at: Made
  }
}
