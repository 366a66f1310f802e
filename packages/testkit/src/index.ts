export { driveClaude } from './agents/drive-claude.ts'
export { installAgentCli } from './agents/install-agent-cli.ts'
export { withClaudeEnvironment } from './agents/with-claude-environment.ts'
export { withCodexEnvironment } from './agents/with-codex-environment.ts'
export { withGeminiEnvironment } from './agents/with-gemini-environment.ts'
export { withOpencodeEnvironment } from './agents/with-opencode-environment.ts'
export { connectApi } from './connect-api.ts'
export { type EventuallyOptions, eventually } from './eventually.ts'
export { startTcpProxy, type TcpProxy, type Weather } from './faults/tcp-proxy.ts'
export type { GithubFault } from './github/github-weather.ts'
export * from './github/github-world.ts'
export { githubHeaders } from './github/send-github-webhook.ts'
export { type StandInGithub, startStandInGithub } from './github/stand-in-github.ts'
export {
  acceptOne,
  lapse,
  leaseOne,
  leaseSome,
  refOf,
  settleReports,
  startLeased,
  startOne,
} from './lease-one.ts'
export { LIMITS, makeDelivery, makeJob, makePlace, newEvent, newTestId, type Place } from './make.ts'
export { type ModelRequest, type StandInModel, startStandInModel } from './model/stand-in-model.ts'
export { type StandInSlack, startStandInSlack } from './outputs/stand-in-slack.ts'
export { type ReceivedMail, startTestMailServer, type TestMailServer } from './outputs/test-mail-server.ts'
export { type ReceivedRequest, startTestReceiver, type TestReceiver } from './outputs/test-receiver.ts'
export { createTestDatabase, type TestDatabase } from './postgres/create-test-database.ts'
export { type DurablePostgres, type RestartMode, startDurablePostgres } from './postgres/durable-postgres.ts'
export { startTestPostgres, type TestPostgres, type TestPostgresAddress } from './postgres/test-postgres.ts'
export { type DatabaseInUse, useTestDatabase } from './postgres/use-test-database.ts'
export { startTestRelay, TEST_SECRET, type TestRelay } from './relay.ts'
export { reportOf } from './report-of.ts'
export { deliveryRow, runRow } from './rows.ts'
export { usePlace } from './use-place.ts'
export {
  connectWireRunner,
  leaseOf,
  type WireApi,
  type WireRunner,
  wireHello,
  wireRun,
} from './wire-runner.ts'
