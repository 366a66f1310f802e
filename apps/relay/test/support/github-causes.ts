import type { GithubUser } from '@baton/testkit'
import { examplePayload } from './github-payloads.ts'
import type { GithubPlace } from './github-place.ts'

const sha = 'b'.repeat(40)
let numbers = 100

/** A number that no issue, pull request or text of these tests has had. */
export const nextNumber = () => ++numbers

type Cause = (place: GithubPlace, by: GithubUser) => [string, object]

/** Each event of a trigger as its actor would cause it, in the repository of the place. */
export const CAUSES: Record<string, Cause> = {
  push: (place, by) => [
    'push',
    payloadOf(place, 'push', null, by, {
      ref: 'refs/heads/main',
      after: sha,
      deleted: false,
      commits: [{ id: sha, message: `work ${nextNumber()}`, added: ['a.ts'], modified: [], removed: [] }],
    }),
  ],
  pull_request: (place, by) => {
    const number = nextNumber()
    const change = {
      pull_request: {
        number,
        user: by,
        title: `Change ${number}`,
        body: 'Please',
        head: { ref: 'topic', sha, repo: { id: place.repository.id } },
        base: { ref: 'main', repo: { id: place.repository.id } },
      },
    }
    keepIssue(place, number, `Change ${number}`, 'Please', by)
    return ['pull_request', payloadOf(place, 'pull_request', 'opened', by, change)]
  },
  issues: (place, by) => {
    const number = nextNumber()
    keepIssue(place, number, `Broken ${number}`, 'It is', by)
    return [
      'issues',
      payloadOf(place, 'issues', 'opened', by, {
        issue: { number, title: `Broken ${number}`, body: 'It is', user: by, pull_request: undefined },
      }),
    ]
  },
  issue_comment: (place, by) => ['issue_comment', place.comment(by, `say ${nextNumber()}`).payload],
  pull_request_review_comment: (place, by) => {
    const id = place.github.world.nextId()
    place.repository.comments.push({
      id,
      kind: 'review',
      number: 3,
      body: 'Why?',
      user: by,
      app: null,
      reactions: [],
    })
    return [
      'pull_request_review_comment',
      payloadOf(place, 'pull_request_review_comment', 'created', by, {
        comment: { id, body: 'Why?', user: by },
        pull_request: {
          number: 3,
          head: { ref: 'topic', sha, repo: { id: place.repository.id } },
          base: { ref: 'main', repo: { id: place.repository.id } },
        },
      }),
    ]
  },
  label: (place, by) => {
    const number = nextNumber()
    keepIssue(place, number, `Labelled ${number}`, 'By a stranger', place.eve)
    return [
      'issues',
      payloadOf(place, 'issues', 'labeled', by, {
        issue: {
          number,
          title: `Labelled ${number}`,
          body: 'By a stranger',
          user: place.eve,
          pull_request: undefined,
        },
        label: { name: 'agent' },
      }),
    ]
  },
  check_run: (place, by) => [
    'check_run',
    payloadOf(place, 'check_run', 'completed', by, {
      check_run: {
        id: nextNumber(),
        conclusion: 'failure',
        head_sha: sha,
        app: { id: 1 },
        check_suite: { head_branch: 'main' },
      },
    }),
  ],
  workflow_run: (place, by) => [
    'workflow_run',
    payloadOf(place, 'workflow_run', 'completed', by, {
      workflow_run: {
        id: nextNumber(),
        conclusion: 'failure',
        head_sha: sha,
        head_branch: 'main',
        head_repository: { id: place.repository.id },
        actor: by,
        triggering_actor: by,
      },
    }),
  ],
  release: (place, by) => [
    'release',
    payloadOf(place, 'release', 'published', by, {
      release: { id: nextNumber(), author: by, target_commitish: 'main' },
    }),
  ],
}

function payloadOf(
  place: GithubPlace,
  name: string,
  action: string | null,
  sender: GithubUser,
  change: Record<string, unknown>,
) {
  return examplePayload(name, action, { ...place, sender }, change)
}

function keepIssue(place: GithubPlace, number: number, title: string, body: string, user: GithubUser) {
  place.repository.issues.set(number, { number, title, body, user, labels: [], reactions: [] })
}
