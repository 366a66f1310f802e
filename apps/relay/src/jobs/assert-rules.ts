import { BatonError, type RunRules } from '@baton/protocol'
import { parseTemplate } from './render-prompt.ts'

/** A concurrency key with an unknown name is refused now and not when an event comes. */
export function assertRules(rules: RunRules): RunRules {
  if (rules.concurrency) parseTemplate(rules.concurrency.key)
  if (rules.conversation) parseTemplate(rules.conversation)
  if (rules.concurrency && rules.conversation) {
    throw new BatonError(
      'bad_input',
      'A conversation is worked on by one run at a time anyway: give the job a conversation or a concurrency key, not both.',
    )
  }
  return rules
}
