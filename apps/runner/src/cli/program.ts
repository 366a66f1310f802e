import { Command } from 'commander'
import { version } from '../version.ts'
import { addAgentCommands } from './agent-commands.ts'
import { addApiCommands } from './api-commands.ts'
import { addApprovalCommands } from './approval-commands.ts'
import { addCompletionCommand } from './completion-commands.ts'
import { addEventCommands } from './event-commands.ts'
import { addHookCommands } from './hook-commands.ts'
import { addIntegrationCommands } from './integration-commands.ts'
import { addJobCommands } from './job-commands.ts'
import { addLifecycleCommands } from './lifecycle-commands.ts'
import { addMachineCommands } from './machine-commands.ts'
import { addDispatchCommands, addOutputCommands } from './output-commands.ts'
import { addProfileCommands } from './profile-commands.ts'
import { addRunCommands } from './run-commands.ts'
import { addServiceCommands } from './service-commands.ts'
import { addSystemCommands } from './system-commands.ts'
import { addTokenCommands } from './token-commands.ts'
import { addUsageCommands } from './usage-commands.ts'
import { addWorktreeCommands } from './worktree-commands.ts'

/** The whole tree of commands. Nothing but its words is loaded until one of them is called. */
export function buildProgram(): Command {
  const program = new Command('baton')
  program
    .description('Sends work to the coding agents on your machines and brings back everything they did.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand(false)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .configureHelp({ subcommandTerm: (command) => command.name(), showGlobalOptions: false })
  addSystemCommands(program)
  addRunCommands(program)
  addApprovalCommands(program)
  addMachineCommands(program)
  addAgentCommands(program)
  addJobCommands(program)
  addUsageCommands(program)
  addEventCommands(program)
  addHookCommands(program)
  addOutputCommands(program)
  addDispatchCommands(program)
  addIntegrationCommands(program)
  addProfileCommands(program)
  addServiceCommands(program)
  addWorktreeCommands(program)
  addTokenCommands(program)
  addApiCommands(program)
  addLifecycleCommands(program)
  addCompletionCommand(program)
  addHelp(program)
  program.addHelpText('after', firstSteps)
  return program
}

function addHelp(program: Command): void {
  program
    .command('help [topic...]')
    .description('help on a command, or on "exit-codes" or "environment"')
    .action(async (words: string[]) => {
      const [topic] = words
      if (words.length === 1 && (topic === 'exit-codes' || topic === 'environment')) {
        const { helpTopics } = await import('./help-topics.ts')
        process.stdout.write(`${helpTopics[topic]}\n`)
        return
      }
      let command: Command | undefined = program
      for (const word of words) command = command?.commands.find((one) => one.name() === word)
      if (!command)
        program.error(
          `there is no help on "${words.join(' ')}": try one of the commands, "exit-codes" or "environment"`,
        )
      command.outputHelp()
    })
}

const firstSteps = `
Examples:
  $ baton dev
      everything on this one computer: database, relay, dashboard and runner
  $ baton run "Explain this repository in five bullets" --agent claude
      send work to an agent and watch it
  $ baton status
      what is wrong first, then what is going on

Every command takes --json. "baton help exit-codes" lists what a command's end means.`
