import { expect } from 'vitest'
import { contract } from './support/contract.js'

interface Row {
  readonly Key: string
  readonly Value: string | null
  readonly Flags: number
  readonly LockIndex: number
  readonly CreateIndex: number
  readonly ModifyIndex: number
}

contract('keys and values', ({ must, since, before, http, unique }) => {
  const row = async (key: string) => (await http.get(`/v1/kv/${key}`)).json<Row[]>()[0]

  must('come back as JSON with a base64 value', async () => {
    const key = unique('key')
    expect((await http.put(`/v1/kv/${key}`, 'hello')).json()).toBe(true)
    const answer = await http.get(`/v1/kv/${key}`)
    const [found] = answer.json<Row[]>()
    expect(found).toEqual({
      LockIndex: 0,
      Key: key,
      Flags: 0,
      Value: 'aGVsbG8=',
      CreateIndex: answer.index,
      ModifyIndex: answer.index,
    })
    expect(answer.headers['x-consul-effective-consistency']).toBeUndefined()
    expect(answer.headers['x-consul-knownleader']).toBe('true')
  })

  must('come back raw, safe to show', async () => {
    const key = unique('key')
    const bytes = Buffer.from([0, 1, 2, 255, 254])
    await http.put(`/v1/kv/${key}`, bytes)
    const answer = await http.get(`/v1/kv/${key}?raw`)
    expect(answer.bytes.equals(bytes)).toBe(true)
    expect(answer.headers).toMatchObject({
      'content-type': 'text/plain',
      'x-content-type-options': 'nosniff',
      'content-security-policy': 'sandbox',
    })
  })

  must('show an empty value as null', async () => {
    const key = unique('key')
    await http.put(`/v1/kv/${key}`, '')
    expect((await row(key))?.Value).toBeNull()
  })

  must('answer 404 without a body, with an index, for what is not there', async () => {
    for (const query of ['', '?raw', '?recurse', '?keys']) {
      const answer = await http.get(`/v1/kv/${unique('nope')}${query}`)
      expect([answer.status, answer.text]).toEqual([404, ''])
      expect(answer.index).toBeGreaterThan(0)
    }
  })

  must('are listed by prefix, with values or only keys, cut at a separator', async () => {
    const folder = unique('folder')
    for (const key of ['a/1', 'a/2', 'b', 'c/d/e']) await http.put(`/v1/kv/${folder}/${key}`, key)
    const tree = (await http.get(`/v1/kv/${folder}/?recurse`)).json<Row[]>()
    expect(tree.map(({ Key }) => Key)).toEqual(['a/1', 'a/2', 'b', 'c/d/e'].map((key) => `${folder}/${key}`))
    expect((await http.get(`/v1/kv/${folder}/?keys`)).json()).toHaveLength(4)
    expect((await http.get(`/v1/kv/${folder}/?keys&separator=/`)).json()).toEqual(
      ['a/', 'b', 'c/'].map((key) => `${folder}/${key}`),
    )
    expect((await http.get(`/v1/kv/${folder}/a?keys`)).json()).toHaveLength(2)
  })

  must('keep their index when written with the same value and flags', async () => {
    const key = unique('key')
    await http.put(`/v1/kv/${key}?flags=7`, 'v')
    const first = await row(key)
    await http.put(`/v1/kv/${key}?flags=7`, 'v')
    expect(await row(key)).toEqual(first)
    await http.put(`/v1/kv/${key}`, 'v')
    const unflagged = await row(key)
    expect(unflagged?.Flags).toBe(0)
    expect(unflagged?.ModifyIndex).toBeGreaterThan(first?.ModifyIndex ?? 0)
    expect(unflagged?.CreateIndex).toBe(first?.CreateIndex)
  })

  must('carry flags of 64 bits', async () => {
    const key = unique('key')
    await http.put(`/v1/kv/${key}?flags=18446744073709551615`, 'v')
    expect((await http.get(`/v1/kv/${key}`)).text).toMatch(/"Flags": ?18446744073709551615/)
    for (const flags of ['-1', 'abc', '18446744073709551616']) {
      const answer = await http.put(`/v1/kv/${key}?flags=${flags}`, 'v')
      expect(answer.status).toBe(500)
      expect(answer.text).toContain(`strconv.ParseUint: parsing "${flags}"`)
    }
  })

  must('are written by compare-and-set: 0 creates, an index replaces, anything else is false', async () => {
    const key = unique('key')
    expect((await http.put(`/v1/kv/${key}?cas=5`, 'x')).json()).toBe(false)
    expect((await http.put(`/v1/kv/${key}?cas=0`, '1')).json()).toBe(true)
    expect((await http.put(`/v1/kv/${key}?cas=0`, '2')).json()).toBe(false)
    const index = (await row(key))?.ModifyIndex ?? 0
    expect((await http.put(`/v1/kv/${key}?cas=${index + 1}`, '2')).json()).toBe(false)
    expect((await http.put(`/v1/kv/${key}?cas=${index}`, '2')).json()).toBe(true)
    expect((await http.put(`/v1/kv/${key}?cas=abc`, '2')).status).toBe(500)
  })

  must('are deleted, whether they are there or not', async () => {
    const key = unique('key')
    await http.put(`/v1/kv/${key}`, '1')
    expect((await http.delete(`/v1/kv/${key}`)).json()).toBe(true)
    expect((await http.delete(`/v1/kv/${key}`)).json()).toBe(true)
    expect((await http.get(`/v1/kv/${key}`)).status).toBe(404)
  })

  must('are deleted by compare-and-set', async () => {
    const key = unique('key')
    await http.put(`/v1/kv/${key}`, '1')
    const index = (await row(key))?.ModifyIndex ?? 0
    expect((await http.delete(`/v1/kv/${key}?cas=0`)).json()).toBe(false)
    expect((await http.delete(`/v1/kv/${key}?cas=${index + 1}`)).json()).toBe(false)
    expect((await http.delete(`/v1/kv/${key}?cas=${index}`)).json()).toBe(true)
    expect((await http.delete(`/v1/kv/${key}?cas=9`)).json()).toBe(true)
  })

  must('are deleted by prefix, which is only the beginning of a text', async () => {
    const word = unique('app')
    for (const key of [word, `${word}/a`, `${word}le`]) await http.put(`/v1/kv/${key}`, '1')
    expect((await http.delete(`/v1/kv/${word}?recurse`)).json()).toBe(true)
    expect((await http.get(`/v1/kv/${word}?keys`)).status).toBe(404)
  })

  must('refuse what contradicts itself', async () => {
    const put = await http.put('/v1/kv/x?cas=0&acquire=abc', 'v')
    expect([put.status, put.text]).toEqual([400, 'Conflicting flags: acquire=abc&cas=0'])
    const remove = await http.delete('/v1/kv/x?recurse&cas=0')
    expect([remove.status, remove.text]).toEqual([400, 'Conflicting flags: cas=0&recurse='])
  })

  must('need a name', async () => {
    for (const answer of [await http.get('/v1/kv/'), await http.put('/v1/kv/', '1'), await http.delete('/v1/kv/')]) {
      expect([answer.status, answer.text]).toEqual([400, 'Missing key name'])
    }
  })

  must('take 512 KiB and refuse one byte more', async () => {
    const key = unique('big')
    expect((await http.put(`/v1/kv/${key}`, Buffer.alloc(524_288, 'x'))).json()).toBe(true)
    const answer = await http.put(`/v1/kv/${key}`, Buffer.alloc(524_289, 'x'))
    expect(answer.status).toBe(413)
    expect(answer.text).toMatch(/^Request body\(524289 bytes\) too large, max size: 524288 bytes\. See /)
  })

  must('may have hard names: spaces, marks, other scripts, a slash at the end', async () => {
    const folder = unique('odd')
    for (const name of ['a b', '?#%+;"\\:&', 'ключ', '🔑', 'trail/', 'a=b,c']) {
      const path = `/v1/kv/${folder}/${name.split('/').map(encodeURIComponent).join('/')}`
      expect((await http.put(path, name)).json()).toBe(true)
      expect((await http.get(`${path}?raw`)).text).toBe(name)
    }
    expect((await http.get(`/v1/kv/${folder}/?keys`)).json()).toHaveLength(6)
  })

  must('take an encoded slash for a slash', async () => {
    const key = unique('enc')
    await http.put(`/v1/kv/${key}%2Fb`, '1')
    expect((await http.get(`/v1/kv/${key}/b?raw`)).text).toBe('1')
  })

  must('send those who ask for an unclean path elsewhere', async () => {
    for (const [path, location] of [
      ['a//b', '/v1/kv/a/b'],
      ['a%2F%2Fb', '/v1/kv/a/b'],
      ['a/./b', '/v1/kv/a/b'],
      ['a/../b', '/v1/kv/b'],
    ]) {
      const answer = await http.put(`/v1/kv/${path ?? ''}`, '1')
      expect([answer.status, answer.headers.location]).toEqual([301, location])
    }
  })

  must('refuse names that cannot be printed, and bad escapes', async () => {
    for (const path of ['tab%09', 'nul%00', 'line%0A', 'del%7F', 'sep%E2%80%A8']) {
      const answer = await http.put(`/v1/kv/${path}`, '1')
      expect([answer.status, answer.text]).toEqual([400, ''])
    }
    const malformed = await http.put('/v1/kv/x%ZZ', '1')
    expect([malformed.status, malformed.text]).toEqual([400, '400 Bad Request'])
  })

  before('1.21.6', 'the length of chunked bodies is checked since')(
    'take more than 512 KiB when it comes in chunks',
    async () => {
      const key = unique('chunked')
      const answer = await http.send('PUT', `/v1/kv/${key}`, {
        body: Buffer.alloc(600_000, 'x'),
        headers: { 'transfer-encoding': 'chunked' },
      })
      expect(answer.json()).toBe(true)
    },
  )

  since('1.21.6', 'chunked bodies had no limit before')('refuse more than 512 KiB in chunks too', async () => {
    const key = unique('chunked')
    const answer = await http.send('PUT', `/v1/kv/${key}`, {
      body: Buffer.alloc(600_000, 'x'),
      headers: { 'transfer-encoding': 'chunked' },
    })
    expect(answer.status).toBe(413)
  })

  since('1.21.6', 'keys were not checked before')('refuse spaces at the ends and encoded traversal', async () => {
    for (const path of ['%20lead', 'trail%20', '..%252Fx'])
      expect((await http.put(`/v1/kv/${path}`, '1')).status).toBe(500)
  })

  before('1.21.6', 'keys are checked since')('take spaces at the ends', async () => {
    expect((await http.put('/v1/kv/%20lead', '1')).json()).toBe(true)
  })
})
