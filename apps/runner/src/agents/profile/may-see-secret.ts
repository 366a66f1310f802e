import { secretName } from '@baton/protocol'
import type { Policy } from '../../config/policy.ts'

/** Whether this machine gives agents a secret of this name. Names that decide which code runs are nobody's to give. */
export function maySeeSecret(policy: Pick<Policy, 'secrets' | 'environment'>, name: string): boolean {
  return secretName.safeParse(name).success && (policy.secrets || policy.environment.includes(name))
}
