import { describe, expect, it } from 'vitest'
import { isForeign } from '../../../src/http/consul-answer.js'

const HTML = { 'content-type': 'text/html; charset=utf-8' }
const TEXT = { 'content-type': 'text/plain; charset=utf-8' }
const JSON_TYPE = { 'content-type': 'application/json' }

describe('an answer of an agent is known', () => {
  it.each([
    ['a value', 200, JSON_TYPE, ''],
    ['a missing key', 404, { 'x-consul-index': '7' }, ''],
    ['a path of a newer version', 404, {}, ''],
    ['an unknown service', 404, TEXT, 'unknown service ID: nope'],
    ['an unknown service of a newer version', 404, TEXT, 'Unknown service ID "nope". Ensure that'],
    ['an unknown check', 404, TEXT, 'Unknown check ID "nope". Ensure that'],
    ['a maintenance of nothing', 404, TEXT, 'No service registered with ID "x"'],
    ['a session that ended', 404, TEXT, "Session id 'x' not found"],
    ['a prepared query', 404, TEXT, 'Query not found'],
    ['the health of an unknown service', 404, { ...JSON_TYPE, 'x-consul-reason': 'no' }, '{"Service":null}'],
    ['the health of an unknown service as text', 404, TEXT, 'ServiceId nope not found'],
    ['anything with its headers', 404, { 'x-consul-default-acl-policy': 'deny' }, 'whatever'],
    ['a redirect', 301, HTML, '<a href="/v1/kv/a">Moved Permanently</a>.'],
    ['an error', 500, TEXT, 'No cluster leader'],
    ['a refusal', 403, TEXT, 'Permission denied'],
  ])('%s', (_what, status, headers, body) => {
    expect(isForeign({ status, headers, body })).toBe(false)
  })
})

describe('an answer of something else is known', () => {
  it.each([
    ['a page', 200, HTML, ''],
    ['a page in capitals', 200, { 'content-type': 'Text/HTML' }, ''],
    ['a page without a type', 400, {}, ' <!DOCTYPE html><html></html>'],
    ['a page without a doctype', 400, {}, '<HTML></HTML>'],
    ['a gateway', 502, HTML, '<html>bad gateway</html>'],
    ['a missing page', 404, HTML, '<h1>Not Found</h1>'],
    ['a missing page as text', 404, TEXT, '404 page not found'],
    ['a missing route', 404, JSON_TYPE, '{"message":"Route GET:/v1/health/service/x not found"}'],
    ['a missing route that names a service', 404, TEXT, 'Cannot GET /v1/agent/service/x'],
  ])('%s', (_what, status, headers, body) => {
    expect(isForeign({ status, headers, body })).toBe(true)
  })
})
