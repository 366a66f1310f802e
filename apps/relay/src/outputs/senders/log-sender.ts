import type { OutputSender } from '../output-sender.ts'

const CONTENT_CHARACTERS = 100_000

/** Keeps what is said with the run itself. Storing it is all there is to do, so it happens exactly once. */
export const logSender: OutputSender<'log'> = {
  kind: 'log',
  send: async (_, { message }) => ({
    result: 'sent',
    content: `${message.subject}\n\n${message.body}`.slice(0, CONTENT_CHARACTERS),
  }),
  readBack: async () => ({ result: 'absent' }),
}
