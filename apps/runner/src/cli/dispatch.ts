import { BatonError, DISPATCH_STATES, type DispatchState, type DispatchView } from '@baton/protocol'
import type { Session } from './session.ts'
import { dispatchTable, dispatchText } from './show-dispatch.ts'

type ListOptions = { job?: string; run?: string; state?: string[]; limit: string }

export async function listDispatches(session: Session, _args: string[], options: ListOptions): Promise<void> {
  const limit = Number(options.limit)
  if (!Number.isInteger(limit) || limit < 1)
    throw new BatonError('bad_input', `--limit ${options.limit}: give a number, 1 or more.`)
  const states = options.state?.map(readState)
  const baton = await session.baton()
  const items: DispatchView[] = []
  const filter = {
    ...(options.job && { job: options.job }),
    ...(options.run && { run: options.run }),
    ...(states && { states }),
    pageSize: Math.min(limit, 200),
  }
  for await (const dispatch of baton.dispatches.list(filter)) {
    items.push(dispatch)
    if (items.length === limit) break
  }
  session.print({ items }, () => dispatchTable(items, session.out))
  if (items.length === 0)
    session.note('Nothing was or is to be sent. Add an output: baton output add <job> <where>')
}

function readState(state: string): DispatchState {
  if ((DISPATCH_STATES as readonly string[]).includes(state)) return state as DispatchState
  throw new BatonError('bad_input', `--state ${state}: give one of ${DISPATCH_STATES.join(', ')}.`)
}

export async function showDispatch(session: Session, [id = '']: string[]): Promise<void> {
  const dispatch = await (await session.baton()).dispatches.get(id)
  session.print(dispatch, () => dispatchText(dispatch, session.out))
}

export async function retryDispatch(session: Session, [id = '']: string[]): Promise<void> {
  const dispatch = await (await session.baton()).dispatches.sendAgain(id)
  session.print(
    dispatch,
    () => `${dispatch.id} is sent again. See what comes of it: baton dispatch show ${dispatch.id}`,
  )
}

export async function skipDispatch(session: Session, [id = '']: string[]): Promise<void> {
  const dispatch = await (await session.baton()).dispatches.skip(id)
  session.print(
    dispatch,
    () => `${dispatch.id} is skipped. To send it after all: baton dispatch retry ${dispatch.id}`,
  )
}
