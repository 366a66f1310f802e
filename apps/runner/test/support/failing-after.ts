import type { Baton } from '@baton/sdk'

/** The same client, whose calls of one kind fail after so many of them: a relay or a laptop that goes away. */
export function failingAfter(client: Baton, budget: number): Baton {
  let left = budget
  const spend = () => {
    if (left-- <= 0) throw new Error('cut')
  }
  const organization = {
    ...client.organization,
    exports: {
      ...client.organization.exports,
      page: (of: Parameters<Baton['organization']['exports']['page']>[0]) => {
        spend()
        return client.organization.exports.page(of)
      },
    },
    imports: new Proxy(client.organization.imports, {
      get(target, name: 'rows') {
        return (...given: Parameters<typeof target.rows>) => {
          spend()
          return target[name](...given)
        }
      },
    }),
  }
  return { url: client.url, organization } as unknown as Baton
}
