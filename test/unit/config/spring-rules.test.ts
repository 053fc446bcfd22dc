import { describe, expect, it } from 'vitest'
import type { ConfigOptions } from '../../../src/config/options/config-options.js'
import { pipeline, type Store } from './pipeline.js'

/**
 * Trees laid out by the rules that Spring Cloud Consul documents (https://docs.spring.io/spring-cloud-consul/reference/config.html),
 * and what its reader makes of them.
 */

interface Case {
  readonly rule: string
  readonly store: Store
  readonly options: Omit<ConfigOptions, 'layers'> & { readonly layers?: ConfigOptions['layers'] }
  readonly value: object
}

const testApp = { application: 'testApp', profiles: ['dev'] }

const CASES: readonly Case[] = [
  {
    rule: 'the folder of all applications applies to each of them',
    store: { 'config/application/a': 'all' },
    options: {},
    value: { a: 'all' },
  },
  {
    rule: 'the folder of another application does not apply',
    store: { 'config/otherApp/a': 'x', 'config/testApp/b': 'y', 'config/testApp2/c': 'z' },
    options: {},
    value: { b: 'y' },
  },
  {
    rule: 'the four sources go from the most general to the most specific',
    store: {
      'config/application/a': '1',
      'config/application,dev/a': '2',
      'config/testApp/a': '3',
      'config/testApp,dev/a': '4',
    },
    options: {},
    value: { a: '4' },
  },
  {
    rule: 'a profile of all applications outranks the plain one, but not the application itself',
    store: { 'config/application/a': '1', 'config/application,dev/a': '2', 'config/testApp/b': '3' },
    options: {},
    value: { a: '2', b: '3' },
  },
  {
    rule: 'the application outranks a profile of all applications',
    store: { 'config/application,dev/a': '2', 'config/testApp/a': '3' },
    options: {},
    value: { a: '3' },
  },
  {
    rule: 'a profile that is not active does not apply',
    store: { 'config/testApp,prod/a': 'x', 'config/testApp/a': 'y' },
    options: {},
    value: { a: 'y' },
  },
  {
    rule: 'of several profiles the last one wins',
    store: { 'config/testApp,dev/a': '1', 'config/testApp,eu/a': '2' },
    options: { layers: { application: 'testApp', profiles: ['dev', 'eu'] } },
    value: { a: '2' },
  },
  {
    rule: 'without profiles there are two sources',
    store: { 'config/application/a': '1', 'config/testApp/b': '2', 'config/testApp,dev/b': '3' },
    options: { layers: { application: 'testApp' } },
    value: { a: '1', b: '2' },
  },
  {
    rule: 'the base folder can be another one',
    store: { 'configuration/testApp/a': '1', 'config/testApp/a': '2' },
    options: { layers: { ...testApp, prefix: 'configuration' } },
    value: { a: '1' },
  },
  {
    rule: 'folders below a source make nested properties',
    store: { 'config/testApp/spring/datasource/url': 'jdbc:x', 'config/application/spring/datasource/user': 'u' },
    options: {},
    value: { spring: { datasource: { url: 'jdbc:x', user: 'u' } } },
  },
  {
    rule: 'names in brackets are items of a list, and a list is taken from one source as a whole',
    store: { 'config/application/hosts[0]': 'a', 'config/application/hosts[1]': 'b', 'config/testApp/hosts[0]': 'c' },
    options: {},
    value: { hosts: ['c'] },
  },
  {
    rule: 'YAML lies in the key "data" of each source',
    store: {
      'config/application/data': 'a: 1\nnested: {x: 1, y: 1}',
      'config/testApp,dev/data': 'nested:\n  x: 2\n',
    },
    options: { format: 'yaml' },
    value: { a: 1, nested: { x: 2, y: 1 } },
  },
  {
    rule: 'the key of the YAML can have another name',
    store: { 'config/testApp/configuration': 'a: 1' },
    options: { format: 'yaml' },
    value: { a: 1 },
  },
  {
    rule: 'properties lie in the key "data" of each source',
    store: { 'config/application/data': 'a.b=1\na.c=1', 'config/testApp/data': '# own\na.c=2' },
    options: { format: 'properties' },
    value: { a: { b: '1', c: '2' } },
  },
  {
    rule: 'lists of properties and of YAML are replaced, not joined',
    store: { 'config/application/data': 'l[0]=a\nl[1]=b', 'config/testApp/data': 'l[0]=c' },
    options: { format: 'properties' },
    value: { l: ['c'] },
  },
  {
    rule: 'files that git2consul brought are named one by one',
    store: { 'config/application.yml': 'a: 1\nb: 1', 'config/testApp.yml': 'b: 2', 'config/testApp-dev.yml': 'c: 3' },
    options: {
      layers: ['config/application.yml', 'config/testApp.yml', 'config/testApp-dev.yml'],
      format: 'yaml',
    },
    value: { a: 1, b: 2, c: 3 },
  },
  {
    rule: 'placeholders refer to other properties and may have a default',
    store: { 'config/testApp/host': 'db', 'config/testApp/url': 'pg://${host}:${port:-5432}' },
    options: { interpolate: true },
    value: { host: 'db', url: 'pg://db:5432' },
  },
]

describe('a tree laid out for Spring Cloud Consul', () => {
  it.each(CASES)('gives the same: $rule', async ({ store, options, value }) => {
    const { apply } = await pipeline({ layers: testApp, ...options })
    expect((await apply(store)).value).toEqual(value)
  })
})
