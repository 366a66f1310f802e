import { existsSync } from 'node:fs'
import { eventually } from '@baton/testkit'
import { expect, test } from 'vitest'
import { adoptSupervised } from '../../src/processes/adopt-supervised.ts'
import { createRunPlace, fixture, processesWith, sleepers, untilOutput, within } from './kit.ts'
import { startRunner } from './runner-process.ts'

const HIDEOUTS = [
  'setsid',
  'double-fork',
  'ignore-term',
  'no-environment',
  'leak-stdout',
  'leak-stdout-no-environment',
  'close-stdout',
  'stopped',
  'hold-stdin',
  'crash',
  'plain',
]
const hasCgroup =
  existsSync('/sys/fs/cgroup/unified/cgroup.procs') || existsSync('/sys/fs/cgroup/cgroup.procs')
const KINDS = hasCgroup ? ['with a control group', 'without'] : ['without']

/** Waits until the agent's processes are there, also when it closed its output. */
const hidden = (sleep: string) => eventually(() => expect(processesWith(sleep)).not.toEqual([]))

for (const kind of KINDS) {
  const entryIn = (place: ReturnType<typeof createRunPlace>) =>
    kind === 'without' ? place.supervisorWith('no-cgroup') : undefined

  test.concurrent.for(HIDEOUTS)(`a stopped run leaves no process: %s, ${kind}`, async (mode) => {
    await using place = createRunPlace()
    const sleep = place.sleep()
    const spec = place.spec('sh', [fixture('hide.sh'), mode, 'stay', sleep])
    const { run } = await place.start(spec, entryIn(place))
    if (mode === 'close-stdout') await hidden(sleep)
    else await untilOutput(run, 1)
    await run.stop('cancelled', 200)
    const exit = await within(10_000, run.exited)
    expect(processesWith(sleep)).toEqual([])
    expect(exit).toMatchObject({ error: null, stopReason: 'cancelled', killProof: { survivors: 0 } })
    expect(exit.killProof?.signals[0]).toMatchObject({ signal: 'SIGTERM' })
  })

  test.concurrent.for(HIDEOUTS)(`a run that ends by itself leaves no process: %s, ${kind}`, async (mode) => {
    await using place = createRunPlace()
    const sleep = place.sleep()
    const spec = place.spec('sh', [fixture('hide.sh'), mode, 'leave', sleep])
    const { run } = await place.start(spec, entryIn(place))
    const exit = await within(10_000, run.exited)
    expect(processesWith(sleep)).toEqual([])
    expect(exit).toMatchObject({ error: null, stopReason: null })
    if (mode === 'crash') expect(exit).toMatchObject({ exitCode: null, signal: 'SIGSEGV' })
    else if (mode !== 'close-stdout') expect(exit).toMatchObject({ exitCode: 0, signal: null })
  })

  test.concurrent.for(HIDEOUTS)(
    `a run whose runner was killed is adopted and ended: %s, ${kind}`,
    async (mode) => {
      await using place = createRunPlace()
      const sleep = place.sleep()
      const { runId, folder } = place.newRun()
      const spec = place.spec('sh', [fixture('hide.sh'), mode, 'stay', sleep])
      const entry = entryIn(place)
      const runner = startRunner({ folder, runId, spec, ...(entry ? { entry } : {}) })
      await runner.reading
      await hidden(sleep)
      await runner.kill()

      const run = place.keep(await adoptSupervised(folder, runId))
      await run.stop('cancelled', 200)
      const exit = await within(10_000, run.exited)
      expect(processesWith(sleep)).toEqual([])
      expect(exit).toMatchObject({ stopReason: 'cancelled', killProof: { survivors: 0 } })
    },
  )
}

test('ending only the process group, the mutant, leaves a process in a session of its own', async () => {
  await using place = createRunPlace()
  const sleep = place.sleep()
  const spec = place.spec('sh', [fixture('hide.sh'), 'setsid', 'stay', sleep])
  const { run } = await place.start(spec, place.supervisorWith('group-only'))
  await eventually(() => expect(sleepers(sleep)).toHaveLength(2))
  await run.stop('cancelled', 200)
  await within(10_000, run.exited)
  expect(sleepers(sleep)).toHaveLength(1)
})

test('output that a process outside the tree holds open is cut two seconds after the agent ended', async () => {
  await using place = createRunPlace()
  const spec = place.spec('sh', [fixture('hide.sh'), 'leak-stdout', 'leave', place.sleep()])
  const { run } = await place.start(spec, place.supervisorWith('cut-pipes'))
  const exit = await within(6_000, run.exited)
  expect(exit).toMatchObject({ exitCode: 0, outputBytes: { stdout: 'hidden leak-stdout\n'.length } })
})

test('waiting for the end of the output, the mutant, hangs on leaked stdout', async () => {
  await using place = createRunPlace()
  const spec = place.spec('sh', [fixture('hide.sh'), 'leak-stdout', 'leave', place.sleep()])
  const { run } = await place.start(spec, place.supervisorWith('wait-for-eof'))
  await expect(within(6_000, run.exited)).rejects.toThrow('not within')
})
