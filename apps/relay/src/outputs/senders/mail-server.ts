import { BatonError } from '@baton/protocol'

export type MailServer = {
  host: string
  port: number
  user: string | null
  password: string | null
  from: string | null
}

/** The relay's own mail server: `smtps://<user>:<password>@host` or `smtp://host:587`, and the address it sends from. */
export function parseMailServer(url: string | undefined, from: string | undefined): MailServer | null {
  if (url === undefined || url === '') return null
  const parsed = URL.parse(url)
  if (!parsed || !['smtp:', 'smtps:'].includes(parsed.protocol) || parsed.hostname === '') {
    throw new BatonError(
      'bad_input',
      'BATON_SMTP_URL is no address of a mail server; set it to something like smtps://<user>:<password>@mail.example.com',
    )
  }
  const user = parsed.username === '' ? null : decodeURIComponent(parsed.username)
  return {
    host: parsed.hostname.replace(/^\[|\]$/g, ''),
    port: parsed.port === '' ? (parsed.protocol === 'smtps:' ? 465 : 587) : Number(parsed.port),
    user,
    password: parsed.password === '' ? null : decodeURIComponent(parsed.password),
    from: from || (user?.includes('@') ? user : null),
  }
}
