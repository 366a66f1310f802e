import { withOpencodeEnvironment } from '../agents/with-opencode-environment.ts'
import { type OneWayCli, recordOneWay } from './record-one-way.ts'

/*
 * Makes the transcripts of opencode under `fixtures/` again:
 *
 *   node packages/testkit/src/model/record-opencode.ts [part of a name]
 */
const allowed = (rules: object) => ({ OPENCODE_PERMISSION: JSON.stringify(rules) })

const ARGV = ['run', '--format', 'json', '--thinking', '--print-logs', '--log-level', 'ERROR']

const opencode: OneWayCli = {
  name: 'opencode',
  environment: withOpencodeEnvironment,
  session: /"sessionID":"([^"]+)"/,
  argv({ argv = [] }, session) {
    return [...ARGV, ...(session === null ? [] : ['-s', session]), ...argv]
  },
  neutral(text) {
    const ids = new Map<string, string>()
    return (
      text
        .replaceAll(/\b(ses|prt|msg)_[0-9a-zA-Z]{26}\b/g, (id, kind) => {
          ids.set(id, ids.get(id) ?? `${kind}_${String(ids.size + 1).padStart(4, '0')}`)
          return ids.get(id) ?? id
        })
        .replaceAll(/call_[0-9a-f-]{36}/g, (id) => {
          ids.set(id, ids.get(id) ?? `call_${String(ids.size + 1).padStart(4, '0')}`)
          return ids.get(id) ?? id
        })
        // Where its own code lies in its program.
        .replaceAll('/$bunfs/root/', '/opencode/')
        // A title has its path without the first slash.
        .replaceAll(/\btmp\/baton-fixture-\w{6}/g, 'home/dev')
        .replaceAll('/tmp/opencode/', '/home/dev/tmp/opencode/')
        .replaceAll(/"(timestamp|start|end)":\d{13}/g, '"$1":100')
        .replaceAll(
          /^timestamp=\S+ (level=\w+) run=\w+/gm,
          'timestamp=2026-11-20T10:00:00.000Z $1 run=00000001',
        )
        .replaceAll(/err_[0-9a-f]{8}/g, 'err_00000001')
        .replaceAll(/"date":"[^"]+"/g, '"date":"Fri, 20 Nov 2026 10:00:00 GMT"')
    )
  },
  situations: [
    { name: 'plain-answer', shows: 'one text', prompt: '@say Hello from the model.' },
    { name: 'thinking', shows: 'reasoning', prompt: '@think First I look at it.\n@say Then I answer.' },
    {
      name: 'write-file',
      shows: 'a tool call that makes a file',
      prompt: '@say I write it.\n@write notes.txt <<< one\\ntwo\n@say Written.',
    },
    { name: 'shell', shows: 'a command that succeeds', prompt: '@shell echo hi; echo warn >&2' },
    {
      name: 'shell-fails',
      shows: 'a command with exit code 3',
      prompt: '@shell echo partly; exit 3\n@say It failed.',
    },
    {
      name: 'todo-list',
      shows: 'a plan',
      prompt:
        '@tool todowrite {"todos":[{"content":"Look","status":"completed","priority":"high","id":"1"},{"content":"Write","status":"in_progress","priority":"high","id":"2"}]}\n@say Planned.',
    },
    {
      name: 'shell-refused',
      shows: 'a rule that denies a command: the run goes on, exit 0',
      env: allowed({ bash: { '*': 'deny' }, edit: 'allow' }),
      prompt: '@shell touch note\n@say The command was handled.',
    },
    {
      name: 'tool-left-out',
      shows: 'tools that are not offered: calls of them become calls of "invalid"',
      env: allowed({ bash: 'deny', edit: 'deny' }),
      prompt: '@shell touch note\n@write a.txt <<< a\n@say Tried.',
    },
    {
      name: 'refused-in-part',
      shows: 'one tool that passes and one that does not',
      env: allowed({ bash: { '*': 'deny' }, edit: 'allow' }),
      prompt: '@write a.txt <<< a\n@shell touch b\n@say Did a part.',
    },
    {
      name: 'asked-and-stopped',
      shows: 'a question that nobody answers ends the run: exit 0 after tool-calls, no text',
      env: allowed({ bash: 'ask' }),
      prompt: '@shell touch note\n@say The command was handled.',
    },
    {
      name: 'outside',
      shows: 'a file outside of the directory',
      env: allowed({ external_directory: 'deny' }),
      prompt: '@write /nowhere/a.txt <<< a\n@say Tried.',
    },
    {
      name: 'usage',
      shows: 'token counts and cost of two requests',
      prompt: '@usage 12000 345\n@shell ls\n@say Counted.',
    },
    {
      name: 'resume',
      shows: 'a second prompt in a session',
      before: '@say Remember me.',
      prompt: 'How many prompts?',
    },
    {
      name: 'resume-unknown',
      shows: 'a session that is not there',
      argv: ['-s', 'ses_e06b430b2ffeS7g5NnyF000000'],
      prompt: '@say Never.',
    },
    { name: 'api-400', shows: 'an API error that is final', prompt: '@fail 400' },
    { name: 'api-401', shows: 'a wrong key', prompt: '@fail 401' },
    {
      name: 'api-429',
      shows: 'a used-up account: only its log tells of it, and it waits; killed',
      prompt: '@fail 429',
      stop: { signal: 'SIGKILL', after: 20_000 },
    },
    {
      name: 'api-500-once',
      shows: 'a retry that helps, which only the log tells of',
      prompt: '@fail 500 1\n@say Through.',
    },
    {
      name: 'stream-cut',
      shows: 'connections dropped in the middle of an answer: the step begins again and again, killed',
      prompt: '@say Half an\n@wait 50\n@cut',
      stop: { signal: 'SIGKILL', after: 12_000 },
    },
    {
      name: 'unknown-model',
      shows: 'a model that is not there',
      argv: ['-m', 'standin/none'],
      prompt: '@say Never.',
    },
    {
      name: 'sigterm',
      shows: 'SIGTERM in the middle of a turn',
      prompt: '@shell echo begun\n@hang',
      stop: { signal: 'SIGTERM', after: 'step_finish' },
    },
  ],
}

if (import.meta.main) await recordOneWay(opencode, process.argv[2])
