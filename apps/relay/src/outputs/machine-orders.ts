import { type Db, type DispatchClaim, type DispatchReport, findOrderTries, reportDispatch } from '@baton/db'
import {
  DISPATCH_TRIES,
  type MachineId,
  type MachineOrder,
  ORDER_CONTENT_BYTES,
  type OrderReport,
} from '@baton/protocol'
import { parseTemplate, renderPrompt } from '../jobs/render-prompt.ts'
import { nextPauseMs } from './next-pause.ts'
import type { PreparedDispatch } from './prepare-dispatch.ts'
import { PATH_NAMES } from './template-names.ts'

/** What the runner of a machine is to do for a dispatch, or what to report because there is nothing to do. */
export function toMachineOrder(
  claim: DispatchClaim,
  prepared: PreparedDispatch | { problem: string; mismatch: boolean } | null,
): MachineOrder | DispatchReport {
  const end = (state: 'skipped' | 'failed' | 'dead', why: string) => ({
    state,
    result: state,
    why,
    tookMs: null,
  })
  if (claim.off !== null) return end('skipped', claim.off)
  if (claim.tries > DISPATCH_TRIES) {
    return end('dead', 'The runner of its machine took it and never reported. Is it up to date?')
  }
  if (prepared === null) return end('failed', 'What it is about is not kept any longer.')
  if ('problem' in prepared) {
    return {
      ...end('failed', prepared.problem),
      ...(prepared.mismatch && { failureCause: prepared.problem }),
    }
  }
  const { message, facts, dispatch } = prepared
  const config = dispatch.config as { path?: string; mode?: 'append' | 'overwrite' }
  return {
    id: claim.id,
    claim: claim.claim,
    runId: claim.runId,
    kind: claim.kind as MachineOrder['kind'],
    content: cut(dispatch.text.body === null ? `${message.body}\n` : message.body),
    path: config.path === undefined ? null : fillPath(config.path, facts),
    mode: config.mode ?? 'append',
    workspace: prepared.workspace,
  }
}

/** What is filled into a path is one name in it, and leads nowhere. */
export function fillPath(template: string, facts: object): string {
  const tame = JSON.parse(JSON.stringify(facts), (_, value) =>
    typeof value === 'string' ? value.replace(/[^\w.@+-]+/gu, '-').replace(/^\.+/, '') : value,
  ) as object
  return renderPrompt(parseTemplate(template, PATH_NAMES), tame)
}

function cut(text: string): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= ORDER_CONTENT_BYTES) return text
  const kept = bytes
    .subarray(0, ORDER_CONTENT_BYTES)
    .toString('utf8')
    .replace(/\uFFFD+$/, '')
  return `${kept}\n[cut here: ${bytes.length - ORDER_CONTENT_BYTES} of ${bytes.length} bytes left out]\n`
}

/** Records what a runner reports of its orders. One of another machine, or of an older claim, changes nothing. */
export async function recordOrders(db: Db, machineId: MachineId, reports: OrderReport[]): Promise<void> {
  const ids = reports.map((report) => report.id)
  const tries = await findOrderTries(db, machineId, ids)
  for (const report of reports) {
    const count = tries.get(report.id)
    if (count !== undefined) await reportDispatch(db, report, toReport(report, count))
  }
}

function toReport({ result, why, path }: OrderReport, tries: number): DispatchReport {
  const common = { result, why, tookMs: null, externalId: path ?? undefined }
  if (result === 'sent') return { ...common, state: 'sent', why: null }
  if (result === 'failed') return { ...common, state: 'failed' }
  const afterMs = nextPauseMs(tries, undefined)
  return afterMs === null ? { ...common, state: 'dead' } : { ...common, state: 'pending', afterMs }
}
