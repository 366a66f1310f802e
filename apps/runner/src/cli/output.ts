import { BatonError } from '@baton/protocol'
import { confirm } from './confirm.ts'
import { type OutputOptions, readMoment, readOutput, readOutputText } from './output-options.ts'
import { printable } from './printable.ts'
import type { Session } from './session.ts'
import { outputTable } from './show-dispatch.ts'

export async function addOutput(
  session: Session,
  [job = '', where = '']: string[],
  options: OutputOptions,
): Promise<void> {
  const output = await readOutput(where, options, session.env)
  const baton = await session.baton()
  const made = await baton.outputs.create(job, output)
  session.print(made, () => made.output.id)
  session.note(
    `Results of ${job} go to ${printable(made.output.target)}. Try it: baton output test ${made.output.id}`,
  )
  if (made.secret && !session.json)
    session.note(
      `It is signed (Standard Webhooks) with this secret, which is not shown again:\n${made.secret}`,
    )
}

export async function listOutputs(
  session: Session,
  _args: string[],
  options: { job?: string },
): Promise<void> {
  const baton = await session.baton()
  const items = await baton.outputs.list(options.job)
  session.print({ items }, () => outputTable(items, session.out))
  if (items.length === 0)
    session.note('No outputs yet. Add one: baton output add <job> email:you@example.com')
}

export async function showOutput(session: Session, [id = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const output = await baton.outputs.get(id)
  session.print(output, () =>
    [
      `${session.out('bold', output.id)}  ${output.enabled ? session.out('green', 'on') : session.out('yellow', 'off')}`,
      `  ${output.kind} to ${printable(output.target)}, on ${output.on}, job ${printable(output.job.key)}`,
      ...(output.disabledReason ? [`  ${printable(output.disabledReason)}`] : []),
      `  ${printable(JSON.stringify(output.config))}`,
      ...(output.text.subject ? [`  subject: ${printable(output.text.subject)}`] : []),
      ...(output.text.body ? ['', printable(output.text.body)] : []),
    ].join('\n'),
  )
}

export async function updateOutput(
  session: Session,
  [id = '']: string[],
  options: OutputOptions,
): Promise<void> {
  const on = readMoment('--on', options.on)
  const text = await readOutputText(options)
  if (on === undefined && Object.keys(text).length === 0)
    throw new BatonError(
      'bad_input',
      'Say what to change: --on, --subject, --body, --body-file, --format or --schema.',
    )
  const baton = await session.baton()
  const output = await baton.outputs.update(id, { ...(on && { on }), text })
  session.print(output, () => `${output.id} is changed.`)
}

export async function enableOutput(session: Session, [id = '']: string[]): Promise<void> {
  const output = await (await session.baton()).outputs.enable(id)
  session.print(output, () => `${output.id} is on.`)
}

export async function disableOutput(session: Session, [id = '']: string[]): Promise<void> {
  const output = await (await session.baton()).outputs.disable(id)
  session.print(
    output,
    () => `${output.id} is off: nothing is sent there until "baton output enable ${output.id}".`,
  )
}

/** Ends with 1 when the sample did not arrive. */
export async function testOutput(session: Session, [id = '']: string[]): Promise<number> {
  const test = await (await session.baton()).outputs.test(id)
  session.print(
    test,
    () => `${test.ok ? session.out('green', '✓') : session.out('red', '✕')} ${printable(test.sentence)}`,
  )
  return test.ok ? 0 : 1
}

export async function removeOutput(session: Session, [id = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const output = await baton.outputs.get(id)
  await confirm(session, `Remove the ${output.kind} output to ${output.target} of ${output.job.key}?`)
  await baton.outputs.delete(output.id)
  session.print({ id: output.id, deleted: true }, () => `${output.id} is removed.`)
}
