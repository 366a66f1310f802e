import type { AgentView, Skill } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { useAction } from '../api/use-action.ts'
import { Button } from '../elements/button.tsx'
import { ConfirmDialog, Dialog, Problem } from '../elements/dialog.tsx'
import { Field, FormEnd } from '../elements/field.tsx'
import { Loaded, Section } from '../elements/page.tsx'
import { skillsQuery } from './agent-queries.ts'

type Draft = Pick<Skill, 'name' | 'text'>

/** Markdown files that it finds on its machine, each with what it is for. */
export function AgentSkills({ agent }: { agent: AgentView }) {
  const { client } = useApi()
  const skills = useQuery(skillsQuery(client, agent.key))
  const [editing, setEditing] = useState<Draft | null>(null)
  const [removing, setRemoving] = useState<string | null>(null)
  const remove = useAction('removing the skill', (api, name: string) =>
    api.skills.remove.mutate({ agent: agent.key, name }),
  )
  return (
    <Section
      title="Skills"
      aside={
        <Button small onClick={() => setEditing({ name: '', text: '' })}>
          Add a skill
        </Button>
      }
    >
      <Loaded answer={skills} of="the skills">
        {(all) =>
          all.length === 0 ? (
            <p className="card border-dashed px-4 py-3 text-soft">
              None. A skill is a Markdown file that says how something is done here.
            </p>
          ) : (
            <ul aria-label="Skills" className="card divide-y divide-line">
              {all.map((skill) => (
                <li key={skill.name} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2">
                  <span className="min-w-0 flex-1 basis-48">
                    <span className="font-medium">{skill.name}</span>{' '}
                    <span className="text-[13px] break-words text-soft">{skill.description}</span>
                  </span>
                  <span className="flex">
                    <Button
                      small
                      look="bare"
                      aria-label={`Edit the skill ${skill.name}`}
                      onClick={() => setEditing(skill)}
                    >
                      Edit
                    </Button>
                    <Button
                      small
                      look="bareDanger"
                      aria-label={`Remove the skill ${skill.name}`}
                      onClick={() => setRemoving(skill.name)}
                    >
                      Remove…
                    </Button>
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
      {editing && <EditSkill agent={agent} skill={editing} onClose={() => setEditing(null)} />}
      {removing !== null && (
        <ConfirmDialog
          title={`Remove the skill ${removing}?`}
          confirm="Remove the skill"
          busy={remove.busy}
          problem={remove.problem}
          onConfirm={() => remove.start(removing, () => setRemoving(null))}
          onClose={() => setRemoving(null)}
        >
          <p>Later runs of {agent.key} do not find it any more.</p>
        </ConfirmDialog>
      )}
    </Section>
  )
}

function EditSkill({ agent, skill, onClose }: { agent: AgentView; skill: Draft; onClose: () => void }) {
  const [draft, setDraft] = useState<Draft>({ name: skill.name, text: skill.text })
  const save = useAction('saving the skill', (api, input: Draft) =>
    api.skills.add.mutate({ agent: agent.key, ...input }),
  )
  return (
    <Dialog title={skill.name ? `The skill ${skill.name}` : 'Add a skill'} onClose={onClose} wide>
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault()
          save.start(draft, onClose)
        }}
      >
        {!skill.name && (
          <Field label="Name" hint="Small letters, digits and dashes.">
            <input
              className="field font-mono"
              required
              data-focus
              pattern="[a-z0-9][a-z0-9\-]{0,62}"
              title="Small letters, digits and dashes"
              value={draft.name}
              onChange={(event) => setDraft({ ...draft, name: event.target.value })}
            />
          </Field>
        )}
        <Field label="Text (Markdown)" hint="Its first lines say what it is for.">
          <textarea
            className="field min-h-64 font-mono text-[13px]"
            required
            data-focus={skill.name ? true : undefined}
            value={draft.text}
            onChange={(event) => setDraft({ ...draft, text: event.target.value })}
          />
        </Field>
        <Problem text={save.problem} />
        <FormEnd onCancel={onClose} busy={save.busy} submit="Save the skill" />
      </form>
    </Dialog>
  )
}
