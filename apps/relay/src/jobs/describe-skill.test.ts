import { expect, test } from 'vitest'
import { describeSkill } from './describe-skill.ts'

test.each([
  ['---\nname: x\ndescription: "Writes release notes"\n---\n# Release', 'Writes release notes'],
  ['---\nname: x\n---\n\n# Release notes\n\nDo it.', 'Release notes'],
  ['\n## How to deploy\nrun it', 'How to deploy'],
  ['---\r\ndescription: Windows lines\r\n---\r\nBody', 'Windows lines'],
  ['', ''],
])('%j is described by what it says about itself', (text, description) => {
  expect(describeSkill(text)).toBe(description)
})
