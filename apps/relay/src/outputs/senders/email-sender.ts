import { createTransport } from 'nodemailer'
import { isLoopback } from '../outbound/public-address.ts'
import type { ClaimedDispatch, Message, OutputSender, SendContext, SendResult } from '../output-sender.ts'
import { oneLine } from '../write-message.ts'
import type { MailServer } from './mail-server.ts'
import { escapeHtml, markdownToHtml } from './markdown-to-html.ts'

/**
 * Sends mail over SMTP. The connection is encrypted and the server proves its name (port 465 from the start, else
 * STARTTLS); only to this computer itself mail goes as it is. Every try has the same Message-ID, by which mail programs
 * show a repeat once. A server cannot be asked what it has taken.
 */
export function createEmailSender(fallback: MailServer | null): OutputSender<'email'> {
  return { kind: 'email', send: (dispatch, context) => send(dispatch, context, fallback) }
}

async function send(
  dispatch: ClaimedDispatch<'email'>,
  context: SendContext,
  fallback: MailServer | null,
): Promise<SendResult> {
  const server = serverOf(dispatch, fallback)
  if (server === null) {
    return {
      result: 'failed',
      why: 'No mail server is set. Give the output a host, or ask the administrator of the relay to set BATON_SMTP_URL.',
    }
  }
  const from = dispatch.config.from ?? server.from
  if (from === null) return { result: 'failed', why: 'No sender is set. Give the output a `from` address.' }
  const opened = await context.outbound.openMail(server.host, server.port, context.signal)
  if (opened.result === 'refused') return { result: 'failed', why: opened.why }
  if (opened.result === 'unreachable') return { result: 'retry', why: opened.why }
  const isLocal = isLoopback(opened.address)
  const onAbort = () => opened.socket.destroy(new Error('it took too long'))
  context.signal.addEventListener('abort', onAbort, { once: true })
  let handedOver = false
  const transport = createTransport({
    // Its errors do not tell how far it came; its log of commands does. The message itself is not in that log.
    transactionLog: true,
    logger: watchCommands(() => {
      handedOver = true
    }),
    connection: opened.socket,
    host: server.host,
    port: server.port,
    secure: server.port === 465,
    requireTLS: server.port !== 465 && !isLocal,
    ignoreTLS: isLocal && server.port !== 465,
    tls: { servername: server.host, minVersion: 'TLSv1.2' },
    ...(server.user !== null && { auth: { user: server.user, pass: server.password ?? '' } }),
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  try {
    const info = await transport.sendMail({ ...mailOf(dispatch, context, from) })
    return { result: 'sent', externalId: info.messageId }
  } catch (error) {
    return readMailError(error as MailError, handedOver)
  } finally {
    context.signal.removeEventListener('abort', onAbort)
    transport.close()
    opened.socket.destroy()
  }
}

function serverOf({ config }: ClaimedDispatch<'email'>, fallback: MailServer | null): MailServer | null {
  if (config.host === undefined) return fallback
  return {
    host: config.host,
    port: config.port ?? 587,
    user: config.user ?? null,
    password: config.password ?? null,
    from: config.user?.includes('@') ? config.user : null,
  }
}

function mailOf(dispatch: ClaimedDispatch<'email'>, context: SendContext, from: string) {
  const { message, facts, publicUrl } = context
  const host = new URL(publicUrl).hostname
  return {
    from,
    to: dispatch.config.to,
    subject: oneLine(message.subject),
    text: message.body,
    html: htmlOf(message),
    messageId: `<${dispatch.id}@${/^[a-z0-9.-]+$/.test(host) ? host : 'baton.invalid'}>`,
    headers: {
      'Auto-Submitted': 'auto-generated',
      'X-Baton-Run': facts.run.id,
      'X-Baton-Dispatch': dispatch.id,
    },
  }
}

function htmlOf({ body, format }: Message): string {
  const inner =
    format === 'markdown'
      ? markdownToHtml(body)
      : `<pre style="white-space:pre-wrap">${escapeHtml(body)}</pre>`
  return `<!doctype html><html><body>${inner}</body></html>`
}

/** From DATA on the server may have the message. */
function watchCommands(onData: () => void) {
  const look = (entry: { tnx?: string }, text?: unknown) => {
    if (entry.tnx === 'client' && text === 'DATA') onData()
  }
  const nothing = () => {}
  return {
    level: nothing,
    trace: nothing,
    debug: look,
    info: nothing,
    warn: nothing,
    error: nothing,
    fatal: nothing,
  }
}

type MailError = Error & { code?: string; responseCode?: number; response?: string }

function readMailError(error: MailError, handedOver: boolean): SendResult {
  const said = error.response ? oneLine(error.response).slice(0, 300) : error.message
  if (error.code === 'ETLS') {
    return { result: 'retry', why: `The mail server offers no connection that can be trusted: ${said}` }
  }
  if (error.responseCode !== undefined) {
    const isLasting = error.responseCode >= 500
    return { result: isLasting ? 'failed' : 'retry', why: `The mail server refused it: ${said}` }
  }
  if (handedOver)
    return { result: 'unknown', why: `The mail server took the message and did not confirm it: ${said}` }
  return { result: 'retry', why: `The mail server could not be used: ${said}` }
}
