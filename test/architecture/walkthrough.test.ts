import { expect, test } from 'vitest'
import { cellsOf, isThere, readText, unquoted } from './support/repository.ts'

/** The path of one delivery: each step with the folders that it leads through. */
const PATH: { step: string; folders: string[] }[] = [
  { step: '1 http', folders: ['apps/relay/src/http'] },
  { step: '2 inbox', folders: ['apps/relay/src/inbox'] },
  { step: '3 webhooks', folders: ['packages/webhooks/src'] },
  { step: '4 jobs', folders: ['apps/relay/src/jobs'] },
  { step: '5 deliveries', folders: ['packages/db/src/deliveries', 'apps/relay/src/deliveries'] },
  { step: '6 runners', folders: ['apps/relay/src/runners'] },
  { step: '7 api', folders: ['apps/relay/src/api'] },
  { step: '8 connection', folders: ['apps/runner/src/connection'] },
  { step: '9 runs', folders: ['apps/runner/src/runs', 'apps/runner/src/journal'] },
  { step: '10 workspaces', folders: ['apps/runner/src/workspaces'] },
  { step: '10 agents', folders: ['apps/runner/src/agents'] },
  { step: '10 processes', folders: ['apps/runner/src/processes'] },
  { step: '11 outbox', folders: ['apps/runner/src/outbox'] },
  {
    step: '12 runs',
    folders: ['apps/relay/src/runs', 'packages/db/src/runs', 'packages/db/src/deliveries/settle.ts'],
  },
  { step: '13 live', folders: ['apps/relay/src/live'] },
  {
    step: '14 outputs',
    folders: ['apps/relay/src/outputs', 'packages/db/src/outputs', 'apps/runner/src/outputs'],
  },
  { step: '15 dashboard', folders: ['apps/dashboard/src/runs'] },
]

const rows = readText('docs/walkthrough.md')
  .split('\n')
  .filter((line) => /^\| \d+ /.test(line))
  .map((line) => {
    const [step = '', file = '', sentence = ''] = cellsOf(line)
    return { step, file: unquoted(file), sentence }
  })

test('the walkthrough goes through the steps of the path in their order and leaves none out', () => {
  const steps = rows.map((row) => row.step).filter((step, at, all) => step !== all[at - 1])
  expect(steps).toEqual(PATH.map(({ step }) => step))
})

test('every file of the walkthrough lies in the folder of its step, and every folder has a file', () => {
  for (const { step, folders } of PATH) {
    const files = rows.filter((row) => row.step === step && row.file !== '').map((row) => row.file)
    for (const file of files)
      expect(
        folders.some((folder) => file === folder || file.startsWith(`${folder}/`)),
        `${step}: ${file}`,
      ).toBe(true)
    for (const folder of folders.filter(isThere))
      expect(
        files.some((file) => file.startsWith(folder)),
        `${step}: no file of ${folder}`,
      ).toBe(true)
  }
})

test('every row of the walkthrough names one file, once, and says one sentence about it', () => {
  const files = rows.map((row) => row.file).filter((file) => file !== '')
  expect(new Set(files).size).toBe(files.length)
  expect(files.filter((file) => !isThere(file))).toEqual([])
  for (const { file, sentence } of rows) expect(sentence, file).toMatch(/^[A-Z`].*\.$/)
})
