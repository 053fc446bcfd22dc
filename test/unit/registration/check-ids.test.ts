import { describe, expect, it } from 'vitest'
import { CheckIds } from '../../../src/registration/check-ids.js'
import { resolveDefinition } from '../../../src/registration/definition/resolve-definition.js'

const PLACE = { hostname: 'here', boot: 'boot' }
/** A registration with checks of these ids. */
const holder = (id: string, ...ids: string[]) => ({
  definition: resolveDefinition(
    { name: id, id, checks: ids.map((check) => ({ id: check, type: 'tcp', address: '10.0.0.1:80', name: check })) },
    PLACE,
  ),
})

describe('the ids of the checks of a client', () => {
  it('belong to one registration each, which may have them again and again', () => {
    const ids = new CheckIds()
    const [one, other] = [holder('one', 'a', 'b'), holder('other', 'b')]
    ids.take(one, one.definition.service.checks)
    ids.take(one, one.definition.service.checks)
    expect(() => ids.take(other, other.definition.service.checks)).toThrow(
      'this client has a check with the id b already, of one; give each check an id of its own',
    )
    ids.release(one)
    ids.take(other, other.definition.service.checks)
  })

  it('stay with a registration while an update to others is under way, which has those as well', () => {
    const ids = new CheckIds()
    const [one, next] = [holder('one', 'a'), holder('one', 'b')]
    ids.take(one, one.definition.service.checks)
    ids.take(one, next.definition.service.checks)
    for (const wanted of [holder('other', 'a'), holder('other', 'b')]) {
      expect(() => ids.take(wanted, wanted.definition.service.checks)).toThrow(/already, of one/)
    }
    one.definition = next.definition
    const freed = holder('other', 'a')
    ids.take(freed, freed.definition.service.checks)
  })

  it('are free for a third after a refusal', () => {
    const ids = new CheckIds()
    const [one, refused, third] = [holder('one', 'a'), holder('refused', 'a', 'c'), holder('third', 'c')]
    ids.take(one, one.definition.service.checks)
    expect(() => ids.take(refused, refused.definition.service.checks)).toThrow(/of one/)
    ids.take(third, third.definition.service.checks)
  })
})
