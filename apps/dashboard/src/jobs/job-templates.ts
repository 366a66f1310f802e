import { type JobDraft, newJob } from './job-draft.ts'
import { newTrigger } from './trigger-draft.ts'

export type JobTemplate = { name: string; what: string; make: () => JobDraft }

const draft = (part: Partial<JobDraft>): JobDraft => ({ ...newJob(), ...part })

/** Where a first job can begin: each is a complete job whose words are meant to be changed. */
export const JOB_TEMPLATES: readonly JobTemplate[] = [
  {
    name: 'Anything that can send a webhook',
    what: 'an alarm, a form, a script of yours',
    make: () =>
      draft({
        name: 'Look at an alarm',
        prompt: 'An alarm came in:\n\n{{ payload | json }}\n\nFind out what is behind it and say what to do.',
        triggers: [newTrigger('webhook')],
      }),
  },
  {
    name: 'Every working morning',
    what: 'at nine, in your time zone',
    make: () =>
      draft({
        name: 'Morning report',
        prompt: 'Read what changed in this repository since yesterday and sum it up in five bullets.',
        triggers: [newTrigger('cron')],
      }),
  },
  {
    name: 'A comment on GitHub',
    what: 'that begins with /fix, by somebody who may write',
    make: () =>
      draft({
        name: 'Fix what a comment asks for',
        prompt:
          'On {{ payload.repository.full_name }} somebody asked in #{{ payload.issue.number }} ({{ payload.issue.title }}):\n\n{{ payload.comment.body }}\n\nDo it, and run the tests.',
        triggers: [{ ...newTrigger('github'), event: 'issue_comment', command: '/fix' }],
      }),
  },
  {
    name: 'A failed check on GitHub',
    what: 'looked at before anybody else has seen it',
    make: () =>
      draft({
        name: 'Look at failed checks',
        prompt:
          'The check “{{ payload.check_run.name | default: "a check" }}” of {{ payload.repository.full_name }} failed. Find out why, and mend it if it is simple.',
        triggers: [{ ...newTrigger('github'), event: 'check_run' }],
      }),
  },
  {
    name: 'Files that change',
    what: 'in a folder of the agent’s machine',
    make: () =>
      draft({
        name: 'Keep the notes in order',
        prompt: 'These notes changed:\n\n{{ changes.paths }}\n\nMend spelling, links and headings in them.',
        triggers: [{ ...newTrigger('file_change'), folder: '~/notes', globs: '**/*.md' }],
      }),
  },
  {
    name: 'A push to a repository',
    what: 'seen on the machine itself, without GitHub',
    make: () =>
      draft({
        name: 'Review pushes',
        prompt: 'Look at what was pushed to {{ push.branch }} and say what could break.',
        triggers: [newTrigger('git_push')],
      }),
  },
]
