/**
 * What the body of each GitHub event always has, and (after `!`) what marks it as another event's. Found from GitHub's
 * published example payloads; a dot looks one level down, `action=x|y` wants one of these actions, and `bare` says that
 * the body has nothing which marks another event here. Keys that GitHub may leave out are not asked for, and forbidden
 * keys are kept to those that tell two events apart, so that a field which GitHub adds later does not cost a true event.
 */
const shapes: Record<string, string> = {
  branch_protection_rule: 'rule action',
  check_run: 'check_run action !deployment_status',
  check_suite: 'check_suite action',
  code_scanning_alert: 'alert commit_oid action',
  commit_comment: 'comment action !issue !pull_request !discussion',
  create: 'ref ref_type master_branch !commits',
  delete: 'ref ref_type pusher_type !master_branch',
  dependabot_alert: 'alert.dependency action',
  deploy_key: 'key action',
  deployment: 'deployment !deployment_status !workflow_job',
  deployment_review: 'workflow_run since action',
  deployment_status: 'deployment deployment_status',
  discussion: 'discussion action !comment',
  discussion_comment: 'discussion comment action',
  fork: 'forkee !action',
  github_app_authorization: 'sender action=revoked',
  gollum: 'pages !action',
  installation: 'installation.account action bare',
  installation_repositories: 'repositories_added repositories_removed action',
  issue_comment: 'issue comment action',
  issues: 'issue action !comment',
  label: 'label action !issue !pull_request !discussion',
  marketplace_purchase: 'marketplace_purchase action',
  member: 'member action !team',
  membership: 'member team scope action',
  merge_group: 'merge_group action',
  meta: 'hook hook_id action=deleted !zen',
  milestone: 'milestone action !issue !pull_request',
  org_block: 'blocked_user action',
  organization:
    'organization action=deleted|renamed|member_added|member_removed|member_invited bare !repository',
  package: 'package action',
  page_build: 'build !action',
  ping: 'zen hook !action',
  project: 'project action',
  project_card: 'project_card action',
  project_column: 'project_column action',
  projects_v2_item: 'projects_v2_item action',
  public: 'repository !action bare',
  pull_request: 'pull_request number action !review !comment !thread',
  pull_request_review: 'pull_request review action',
  pull_request_review_comment: 'pull_request comment action',
  pull_request_review_thread: 'pull_request thread action',
  push: 'ref before after commits pusher !action',
  release: 'release action',
  repository:
    'repository action=created|deleted|archived|unarchived|edited|renamed|transferred|publicized|privatized bare',
  repository_dispatch: 'client_payload action',
  repository_import: 'repository status !action',
  repository_vulnerability_alert: 'alert.affected_package_name action',
  security_advisory: 'security_advisory action',
  sponsorship: 'sponsorship action',
  star: 'starred_at action',
  status: 'sha state context !action',
  team: 'team action !member',
  team_add: 'team repository !action',
  watch: 'repository action=started bare',
  workflow_dispatch: 'workflow inputs ref !action',
  workflow_job: 'workflow_job action',
  workflow_run: 'workflow_run workflow action !deployment',
}

/** What any of the events may say of its surroundings; every other key in the table marks an event. */
const surroundings = new Set(['action', 'sender', 'repository', 'organization', 'installation'])

const marks = Object.values(shapes)
  .flatMap((shape) => shape.split(' '))
  .filter((rule) => /^[a-z_]+$/.test(rule) && rule !== 'bare' && !surroundings.has(rule))

/**
 * Whether a body can be that of the event in `X-GitHub-Event`, which GitHub does not sign: a true body sent again under
 * another name must not fire the jobs of that name. Events that are not in the table always match, because GitHub
 * adds events; a job for one of those must look at the body itself.
 */
export function githubEventMatchesBody(event: string, body: unknown): boolean {
  const shape = Object.hasOwn(shapes, event) ? shapes[event] : undefined
  return shape === undefined || shape.split(' ').every((rule) => holds(rule, body))
}

function holds(rule: string, body: unknown): boolean {
  if (rule === 'bare') return !marks.some((mark) => has(body, mark))
  if (rule.startsWith('!')) return !has(body, rule.slice(1))
  const [key = '', values] = rule.split('=')
  if (!has(body, key)) return false
  return values === undefined || values.split('|').includes(String(Reflect.get(Object(body), key)))
}

function has(body: unknown, path: string): boolean {
  const [key = '', inner] = path.split('.')
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, key)) return false
  return inner === undefined || has(Reflect.get(body, key), inner)
}
