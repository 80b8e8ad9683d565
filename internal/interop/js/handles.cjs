// The numbers by which the other side names what is open here, and small helpers of all commands.
'use strict'

const open = new Map()
let last = 0

// put gives a thing a number. close ends it.
function put (thing, close) {
  open.set(++last, { thing, close })
  return last
}

function get (handle) {
  const o = open.get(handle)
  if (!o) throw new Error('no handle ' + handle)
  return o.thing
}

async function close (handle) {
  const o = open.get(handle)
  if (!o) return
  open.delete(handle)
  await o.close()
}

// closeAll closes the last first: connections before stores.
async function closeAll () {
  for (const handle of [...open.keys()].reverse()) await close(handle)
}

function bytes (text) { return text ? Buffer.from(text, 'base64') : null }

// within gives a promise up after so many milliseconds.
function within (ms, promise, giveUp) {
  if (!ms) return promise
  let timer = null
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => {
      if (giveUp) giveUp()
      reject(Object.assign(new Error('not in time'), { code: 'REQUEST_TIMEOUT' }))
    }, ms)
  })
  promise.catch(() => {})
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

module.exports = { put, get, close, closeAll, bytes, within }
