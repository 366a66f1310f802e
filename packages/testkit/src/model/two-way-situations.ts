import type { ClaudeEvent } from '../agents/drive-claude.ts'
import { type Drive, otherSessionId, outsideShell, partial, type Situation, thirdTick } from './situations.ts'

const isResult = (event: ClaudeEvent) => event.type === 'result'
const isAssistant = (event: ClaudeEvent) => event.type === 'assistant'
const isQuestion = (event: ClaudeEvent) => event.type === 'control_request'

/** Two-way mode: JSON lines in both directions until the input is closed. */
export const twoWay: Situation[] = [
  conversation('two-way-plain-answer', 'one prompt, then stdin is closed', async (claude) => {
    claude.prompt('@say Hello from the model.')
    await claude.next(isResult)
  }),
  conversation(
    'two-way-initialize',
    'the initialize request answered before the first prompt',
    async (claude) => {
      claude.send(control('initialize', { subtype: 'initialize' }))
      await claude.next((event) => event.type === 'control_response')
      claude.prompt('@say Ready.')
      await claude.next(isResult)
    },
  ),
  conversation(
    'two-way-write-file',
    'an edit that acceptEdits lets pass without a question',
    async (claude) => {
      claude.prompt('@write notes.txt <<< one\n@say Written.')
      await claude.next(isResult)
    },
  ),
  conversation('two-way-approved', 'can_use_tool answered with allow', async (claude) => {
    claude.prompt('@shell echo approved > ../approved.txt\n@say Done so.')
    const question = await claude.next(isQuestion)
    claude.send(reply(question, { behavior: 'allow', updatedInput: inputOf(question) }))
    await claude.next(isResult)
  }),
  conversation('two-way-denied', 'can_use_tool answered with deny', async (claude) => {
    claude.prompt(outsideShell)
    claude.send(reply(await claude.next(isQuestion), { behavior: 'deny', message: 'Not on this machine.' }))
    await claude.next(isResult)
  }),
  conversation('two-way-denied-and-stopped', 'deny with interrupt: the turn ends there', async (claude) => {
    claude.prompt(outsideShell)
    const stop = { behavior: 'deny', message: 'Stop here.', interrupt: true }
    claude.send(reply(await claude.next(isQuestion), stop))
    await claude.next(isResult)
  }),
  conversation('two-way-question', 'AskUserQuestion, which comes as can_use_tool', async (claude) => {
    const options = [
      { label: 'Red', description: 'Warm' },
      { label: 'Blue', description: 'Cold' },
    ]
    const questions = [{ question: 'Which colour?', header: 'Colour', multiSelect: false, options }]
    claude.prompt(`@tool AskUserQuestion ${JSON.stringify({ questions })}\n@say Blue it is.`)
    const question = await claude.next(isQuestion)
    const answered = { ...inputOf(question), answers: { 'Which colour?': 'Blue' } }
    claude.send(reply(question, { behavior: 'allow', updatedInput: answered }))
    await claude.next(isResult)
  }),
  conversation(
    'two-way-closed-while-asking',
    'stdin closed while a question is open: refused, the turn goes on',
    async (claude) => {
      claude.prompt(outsideShell)
      await claude.next(isQuestion)
    },
  ),
  conversation(
    'two-way-closed-early',
    'stdin closed right behind the prompt: the turn is finished all the same',
    async (claude) => {
      claude.prompt('@shell ls\n@say Finished.')
    },
  ),
  conversation(
    'two-way-interrupted-answer',
    'interrupt while the model speaks; the process lives on',
    async (claude) => {
      claude.prompt('@slow 600x100ms tick')
      await thirdTick(claude)
      claude.send(control('stop', { subtype: 'interrupt' }))
      await claude.next(isResult)
      claude.prompt('How many prompts?')
      await claude.next(isResult)
    },
    partial,
  ),
  conversation('two-way-interrupted-tool', 'interrupt while a command runs', async (claude) => {
    claude.prompt('@shell sleep 60\n@say Never said.')
    await claude.next(isAssistant)
    claude.send(control('stop', { subtype: 'interrupt' }))
    await claude.next(isResult)
  }),
  conversation(
    'two-way-interrupted-question',
    'interrupt while a question is open: it is withdrawn',
    async (claude) => {
      claude.prompt(outsideShell)
      await claude.next(isQuestion)
      claude.send(control('stop', { subtype: 'interrupt' }))
      await claude.next(isResult)
    },
  ),
  conversation('two-way-sigint', 'SIGINT while a command runs and stdin is open', async (claude) => {
    claude.prompt('@shell sleep 60\n@say Never said.')
    await claude.next(isAssistant)
    claude.process.kill('SIGINT')
    await claude.exited
  }),
  conversation('two-way-sigterm', 'SIGTERM while a command runs and stdin is open', async (claude) => {
    claude.prompt('@shell sleep 60\n@say Never said.')
    await claude.next(isAssistant)
    claude.process.kill('SIGTERM')
    await claude.exited
  }),
  conversation('two-way-unknown-request', 'a control request that the CLI does not know', async (claude) => {
    claude.send(control('odd', { subtype: 'no_such_request' }))
    await claude.next((event) => event.type === 'control_response')
  }),
  conversation('two-way-two-prompts', 'two turns, each with its own init and result', async (claude) => {
    claude.prompt('@say One.')
    await claude.next(isResult)
    claude.prompt('@say Two.')
    await claude.next(isResult)
  }),
  conversation(
    'two-way-prompt-while-working',
    'a prompt in the middle of a turn joins that turn: one result',
    async (claude) => {
      claude.prompt('@shell sleep 1\n@say Never said.')
      await claude.next(isAssistant)
      claude.prompt('@say You said something while I worked.')
      await claude.next(isResult)
    },
  ),
  conversation('two-way-api-400', 'an API error; the next prompt works', async (claude) => {
    claude.prompt('@fail 400')
    await claude.next(isResult)
    claude.prompt('@say Working again.')
    await claude.next(isResult)
  }),
  conversation('two-way-mode-changed', 'set_permission_mode and set_model', async (claude) => {
    claude.send(control('mode', { subtype: 'set_permission_mode', mode: 'plan' }))
    claude.send(control('model', { subtype: 'set_model', model: 'opus' }))
    claude.prompt('@say In another mode.')
    await claude.next(isResult)
  }),
  conversation(
    'two-way-replayed',
    'each prompt echoed when it was taken up',
    async (claude) => {
      claude.prompt('@shell sleep 1\n@say Never said.')
      await claude.next(isAssistant)
      claude.prompt('@say Both are echoed.')
      await claude.next(isResult)
    },
    ['--replay-user-messages'],
  ),
  conversation('two-way-resume-unknown', 'a session id that is not there', async () => {}, [
    '--resume',
    otherSessionId,
  ]),
  {
    name: 'two-way-broken-line',
    shows: 'a line that is no JSON ends the process',
    drive: async (claude) => claude.end('this is no JSON\n'),
  },
]

function conversation(name: string, shows: string, talk: Drive, argv: string[] = []): Situation {
  const drive: Drive = async (claude) => {
    await talk(claude)
    claude.end()
  }
  return { name, shows, argv, drive }
}

function control(requestId: string, request: object): object {
  return { type: 'control_request', request_id: requestId, request }
}

function reply(question: ClaudeEvent, response: object): object {
  return {
    type: 'control_response',
    response: { subtype: 'success', request_id: question.request_id, response },
  }
}

function inputOf(question: ClaudeEvent): Record<string, unknown> {
  return (question.request as { input: Record<string, unknown> }).input
}
