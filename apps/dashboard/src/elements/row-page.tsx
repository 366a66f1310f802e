import type { UseQueryResult } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { isNotFound } from '../api/api-error.ts'
import { Empty, Loaded, Page } from './page.tsx'

const LISTS = { agent: '/agents', event: '/events', job: '/jobs', machine: '/machines' } as const

/** The page of one row: `children` once it is there, and else what its address names and why nothing is shown. */
export function RowPage<Row>(props: {
  kind: keyof typeof LISTS
  /** As the address has it. */
  named: string
  answer: UseQueryResult<Row>
  children: (row: Row) => ReactNode
}) {
  const { kind, named, answer } = props
  if (answer.data !== undefined) return props.children(answer.data)
  if (isNotFound(answer.error)) {
    return (
      <Page title={`No such ${kind}`}>
        <Empty title={`There is no ${kind} ${named} in this organization.`}>
          <Link to={LISTS[kind]} className="font-medium text-accent underline">
            All {kind}s
          </Link>
        </Empty>
      </Page>
    )
  }
  return (
    <Page title={kind.slice(0, 1).toUpperCase() + kind.slice(1)}>
      <Loaded answer={answer} of={`the ${kind}`}>
        {() => null}
      </Loaded>
    </Page>
  )
}
