import type { WebhookScheme } from '@baton/protocol'

/** A request such as this sender would send: enough to see a job fire. */
export function sampleOf(
  scheme: WebhookScheme,
  nowMs: number,
): { body: string; headers: Record<string, string> } {
  const id = `sample-${nowMs}`
  switch (scheme) {
    case 'github':
      return {
        headers: { 'x-github-event': 'push' },
        body: json({
          ref: 'refs/heads/main',
          before: '0'.repeat(40),
          after: '1'.repeat(40),
          commits: [
            {
              id: '1'.repeat(40),
              message: 'A sample commit',
              added: [],
              removed: [],
              modified: ['README.md'],
            },
          ],
          head_commit: { id: '1'.repeat(40), message: `A sample commit (${id})` },
          repository: { full_name: 'octo-org/octo-repo', name: 'octo-repo' },
          pusher: { name: 'octocat' },
          sender: { login: 'octocat', id: 1 },
        }),
      }
    case 'slack':
      return {
        headers: {},
        body: json({
          type: 'event_callback',
          event_id: `Ev${nowMs}`,
          event: { type: 'app_mention', user: 'U000000', channel: 'C000000', text: '<@U111111> a sample' },
        }),
      }
    case 'stripe':
      return {
        headers: {},
        body: json({
          id: `evt_${nowMs}`,
          object: 'event',
          type: 'invoice.paid',
          data: { object: { id: 'in_1' } },
        }),
      }
    case 'lark':
      return {
        headers: {},
        body: json({
          schema: '2.0',
          header: { event_id: id, event_type: 'im.message.receive_v1' },
          event: { message: { message_id: 'om_1', content: '{"text":"a sample"}' } },
        }),
      }
    default:
      return {
        headers: {},
        body: json({ type: 'sample', id, ref: 'refs/heads/main', text: 'A sample event' }),
      }
  }
}

const json = (value: unknown) => JSON.stringify(value)
