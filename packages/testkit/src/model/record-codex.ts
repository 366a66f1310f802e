import { tmpdir } from 'node:os'
import { withCodexEnvironment } from '../agents/with-codex-environment.ts'
import { type OneWayCli, recordOneWay } from './record-one-way.ts'

/*
 * Makes the transcripts of Codex under `fixtures/` again:
 *
 *   node packages/testkit/src/model/record-codex.ts [part of a name]
 */
const readOnly = ['-s', 'read-only']
const full = ['-s', 'danger-full-access']
const unknownThread = '018f3c5e-7a10-7b6e-9c55-2f6f0d1c9a02'

const codex: OneWayCli = {
  name: 'codex',
  environment: withCodexEnvironment,
  session: /"thread_id":"([^"]+)"/,
  argv({ argv = ['-s', 'workspace-write'] }, session) {
    const [flag = '', mode = '', ...more] = argv
    const goOn = session === null ? more : ['resume', session]
    return ['exec', '--json', '--skip-git-repo-check', flag, mode, ...goOn, '-']
  },
  // Of its log of facts only those lines are kept that a runner reads.
  neutral: (text) =>
    text
      .replaceAll(/^.*event\.name="codex\.(?!sandbox_outcome|api_request|sse_event)[^"]*".*\n/gm, '')
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/g, '2026-11-20T10:00:00.000000Z')
      .replaceAll(/(\w*_ms)=[\d.]+/g, '$1=1')
      .replaceAll(/try again at \d+:\d\d [AP]M/g, 'try again at 11:00 AM'),
  situations: [
    { name: 'plain-answer', shows: 'one message', prompt: '@say Hello from the model.' },
    { name: 'thinking', shows: 'reasoning', prompt: '@think First I look at it.\n@say Then I answer.' },
    {
      name: 'write-file',
      shows: 'a patch that makes a file',
      prompt: '@say I write it.\n@write notes.txt <<< one\\ntwo\n@say Written.',
    },
    { name: 'shell', shows: 'a command that succeeds', prompt: '@shell echo hi; echo warn >&2' },
    {
      name: 'shell-fails',
      shows: 'a command with exit code 3',
      prompt: '@shell echo partly; exit 3\n@say It failed.',
    },
    {
      name: 'shell-refused',
      shows: 'a command that the sandbox does not let write: exit 0',
      argv: readOnly,
      prompt: '@shell touch note\n@say The command was handled.',
    },
    {
      name: 'write-refused',
      shows: 'a patch that is refused: only stderr tells of it',
      argv: readOnly,
      prompt: '@write a.txt <<< a\n@say Tried.',
    },
    {
      name: 'refused-in-part',
      shows: 'a patch that passes and a command outside of the workspace that does not',
      prompt: '@write a.txt <<< a\n@shell touch /etc/baton-note\n@say Did a part.',
    },
    { name: 'full', shows: 'a command without a sandbox', argv: full, prompt: '@shell echo free' },
    { name: 'usage', shows: 'token counts', prompt: '@usage 12000 345\n@say Counted.' },
    {
      name: 'resume',
      shows: 'a second prompt in a thread: token counts of both',
      before: '@say Remember me.',
      prompt: 'How many prompts?',
    },
    {
      name: 'resume-unknown',
      shows: 'a thread that is not there: nothing on stdout',
      argv: ['-s', 'workspace-write', 'resume', unknownThread],
      prompt: '@say Never.',
    },
    { name: 'api-400', shows: 'an API error that is final', prompt: '@fail 400' },
    { name: 'api-401', shows: 'a wrong key, tried six times', prompt: '@fail 401' },
    { name: 'api-429', shows: 'a used-up subscription', prompt: '@fail 429' },
    { name: 'api-429-once', shows: 'a retry that helps', prompt: '@fail 429 1\n@say Through.' },
    { name: 'api-500', shows: 'an overloaded service', prompt: '@fail 500' },
    {
      name: 'stream-cut',
      shows: 'connections dropped in the middle of an answer',
      prompt: '@say Half an\n@wait 50\n@cut',
    },
    {
      name: 'unreachable',
      shows: 'nothing listens: it waits for the network for ever, and is killed',
      argv: ['-c', 'openai_base_url="http://127.0.0.1:9/v1"'],
      prompt: '@say Never.',
      stop: { signal: 'SIGKILL', after: 'waiting for network' },
    },
    {
      name: 'broken-sandbox',
      shows: 'a folder for temporary files that holds its settings: no command starts, exit 0',
      env: { TMPDIR: tmpdir() },
      prompt: '@shell echo hi\n@say Tried.',
    },
    {
      name: 'unknown-model',
      shows: 'a warning, and the other set of tools',
      argv: ['-m', 'stand-in'],
      prompt: '@shell echo hi\n@write a.txt <<< a\n@say Done so.',
    },
    {
      name: 'sigterm',
      shows: 'SIGTERM in the middle of a command',
      prompt: '@shell echo begun; sleep 60',
      stop: { signal: 'SIGTERM', after: 'command_execution' },
    },
    {
      name: 'sigint',
      shows: 'SIGINT in the middle of a command',
      prompt: '@shell echo begun; sleep 60',
      stop: { signal: 'SIGINT', after: 'command_execution' },
    },
  ],
}

if (import.meta.main) await recordOneWay(codex, process.argv[2])
