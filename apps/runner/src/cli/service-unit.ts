/** What a service manager has to know to run the runner of one profile. */
export type ServiceSpec = {
  profile: string
  /** The programs: Node, and the `baton` command. */
  node: string
  entry: string
  /** Where agents are looked for: the PATH of whoever made the service. */
  path: string
  /** BATON_HOME and the XDG folders, where they are set. */
  environment: Readonly<Record<string, string>>
}

/** One for each profile, so that several relays can be served at once. */
export const serviceName = (profile: string) =>
  profile === 'default' ? 'baton-runner' : `baton-runner-${profile}`
export const launchdLabel = (profile: string) => `dev.baton.${serviceName(profile)}`

/**
 * A unit for `systemctl --user`. Only the runner itself is told to stop, since agents outlive their runner. A stop
 * (`baton down`) and a refusal that the next start would get again are final; anything else is started again.
 */
export function systemdUnit({ profile, node, entry, path, environment }: ServiceSpec): string {
  const command = [node, entry, 'up', '--foreground', '--profile', profile].map(inExec).join(' ')
  const variables = Object.entries({ PATH: path, ...environment })
  return `[Unit]
Description=Baton runner (profile ${profile})
After=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart=${command}
${variables.map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}`).join('\n')}
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2 4 6
KillMode=process
TimeoutStopSec=30

[Install]
WantedBy=default.target
`
}

/** The same for launchd: started again unless it ended with 0, and its agents are left alone. */
export function launchdPlist({ profile, node, entry, path, environment }: ServiceSpec): string {
  const words = [node, entry, 'up', '--foreground', '--profile', profile]
  const variables = Object.entries({ PATH: path, ...environment })
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key><string>${escaped(launchdLabel(profile))}</string>
  <key>ProgramArguments</key>
  <array>
${words.map((word) => `    <string>${escaped(word)}</string>`).join('\n')}
  </array>
  <key>EnvironmentVariables</key>
  <dict>
${variables.map(([name, value]) => `    <key>${escaped(name)}</key><string>${escaped(value)}</string>`).join('\n')}
  </dict>
  <key>RunAtLoad</key><true/>
  <key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>
  <key>ThrottleInterval</key><integer>5</integer>
  <key>AbandonProcessGroup</key><true/>
</dict>
</plist>
`
}

/** systemd.syntax(7): quotes and backslashes are escaped, `%` is doubled. */
function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&').replaceAll('%', '%%')}"`
}

/** In a command line `$` begins a variable besides. */
function inExec(word: string): string {
  return quoted(word).replaceAll('$', () => '$$')
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
