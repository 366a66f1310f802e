import type { JobView } from '@baton/protocol'
import { useApi } from '../api/api-context.ts'
import { budgetWords } from '../elements/budget-fields.tsx'
import { batonCommand } from '../elements/command-line.ts'
import { CopyLine } from '../elements/copy-button.tsx'
import { CardPart, Fact, Facts } from '../elements/facts.tsx'
import { plural } from '../elements/format.ts'
import { ruleWords } from './rule-words.ts'

/** Rules, limits and budget of a job in words. */
export function JobFacts({ job }: { job: JobView }) {
  const { origin } = useApi()
  const { approvals, retention, rules } = job
  const kept = [
    retention.runs !== null && `the newest ${retention.runs}`,
    retention.days !== null && `for ${plural(retention.days, 'day')}`,
  ].filter(Boolean)
  return (
    <div className="card divide-y divide-line">
      <CardPart title="Rules and limits">
        <p className="text-[13px] break-words">{ruleWords(job)}</p>
      </CardPart>
      <CardPart title="Settings">
        <Facts>
          <Fact name="Budget">{budgetWords(job.budget) ?? 'none of its own'}</Fact>
          <Fact name="Approvals">
            {approvals.mode === undefined
              ? 'as its agent’s'
              : approvals.mode === 'ask'
                ? 'a person is asked'
                : 'refused at once'}
            {approvals.allow && approvals.allow.length > 0 && `; allowed: ${approvals.allow.join(', ')}`}
          </Fact>
          {rules.conversation && (
            <Fact name="Conversation">
              <code className="font-mono">{rules.conversation}</code>
            </Fact>
          )}
          <Fact name="From outside">
            {rules.trust === 'member' ? 'trusted like a member' : 'least power'}
            {rules.publicMode && `, may ${rules.publicMode.replace('_', ' ')}`}
          </Fact>
          <Fact name="Runs kept">{kept.join(', ') || 'as the organization'}</Fact>
        </Facts>
      </CardPart>
      <CardPart title="On the command line">
        <CopyLine text={batonCommand(origin, `job run ${job.key}`)} />
      </CardPart>
    </div>
  )
}
