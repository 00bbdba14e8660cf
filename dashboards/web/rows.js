// Finds rows and brings them up to date. What is in sight is so at once; the rest
// when the browser has nothing else to do, a little at a time, so that a table of
// thousands of rows does not hold up whoever scrolls it.
import { agesIn, put } from "./cell.js"

// bodies are the services with their real servers, each an element of its own.
const bodies = () => document.getElementById("table")?.tBodies ?? []

// rows are those of the page by their names; null where it has changed since.
let rows = null
export function rowOf(id) {
  rows ??= new Map(Array.from(document.querySelectorAll("tr[data-row]"), tr => [tr.dataset.row, tr]))
  return rows.get(id)
}

// moved tells that rows came or went.
export function moved() {
  rows = null
}

// nearby are the services in sight and those half a window from it, or some other
// part of one. They are in order, so that of thousands a few are looked at.
function nearby(part = 0.5) {
  const list = bodies()
  const below = y => {
    let from = 0
    let to = list.length
    while (from < to) {
      const mid = (from + to) >> 1
      if (list[mid].getBoundingClientRect().bottom <= y) from = mid + 1
      else to = mid
    }
    return from
  }
  return Array.prototype.slice.call(list, below(-part * innerHeight), below((1 + part) * innerHeight) + 1)
}

// change writes what is different in a row.
function change(tr, c) {
  if (c.state && !tr.classList.contains(c.state)) tr.className = `${tr.classList[0]} ${c.state}`
  for (const [i, cell] of Object.entries(c.cells ?? {})) put(tr.cells[i], cell)
}

// waiting are changes of rows out of sight, by their names.
const waiting = new Map()

// tell takes the changes of a sample in, by the names of rows.
export function tell(changes, tick) {
  latest = tick
  const near = new Set(nearby())
  for (const [id, c] of Object.entries(changes)) {
    const tr = rowOf(id)
    if (!tr) continue
    const before = waiting.get(id)
    const all = before ? { state: c.state ?? before.state, cells: { ...before.cells, ...c.cells } } : c
    if (near.has(tr.parentNode)) {
      waiting.delete(id)
      change(tr, all)
    } else waiting.set(id, all)
  }
  catchUp()
}

// idle waits until there is time, and returns how many milliseconds of it.
export const idle = () => new Promise(done => {
  if (!globalThis.requestIdleCallback) setTimeout(done, 20, 10)
  else requestIdleCallback(left => done(left.didTimeout ? 20 : Math.min(left.timeRemaining(), 20)), { timeout: 300 })
})

// catchUp has the rows that wait follow. Meanwhile the page says that it is behind.
let behind = false
async function catchUp() {
  if (behind || waiting.size === 0) return
  behind = true
  document.body.dataset.behind = ""
  while (waiting.size > 0) {
    const time = await idle()
    settle(performance.now() + time)
  }
  delete document.body.dataset.behind
  behind = false
}

// settle writes changes that wait, until a time.
function settle(until) {
  for (const [id, c] of waiting) {
    waiting.delete(id)
    const tr = rowOf(id)
    if (tr) change(tr, c)
    if (performance.now() >= until) return
  }
}

// Real servers that are up are left out of the events of a large table: those that
// the page has are asked for, in sight at each sample, others in turn. known is the
// sample that a service's are of; of services that were not asked for it is loaded.
let known = new WeakMap()
let loaded = ""
let latest = ""

// fresh tells that the page was loaded anew as of a sample.
export function fresh(tick) {
  waiting.clear()
  moved()
  known = new WeakMap()
  loaded = latest = tick
}

// inTurn are how many services out of sight are asked for at once, and within
// shortest milliseconds nobody asks again.
const inTurn = 8
const shortest = 500
let asking = false
let asked = -Infinity
let turn = 0

// follow asks for the real servers of services that show them, where they are not of
// the latest sample, or only if one of those in sight is not. What asks is given the
// names of services.
export async function follow(shown, ask, onlyInSight = false) {
  if (asking || performance.now() < asked + shortest) return
  const stale = body => (known.get(body) ?? loaded) !== latest && shown(body)
  if (onlyInSight && !nearby(0).some(stale)) return
  const wanted = nearby().slice(0, 90).filter(stale)
  const all = bodies()
  for (let n = 0, most = wanted.length + inTurn; n < all.length && wanted.length < most; n++) {
    turn = (turn + 1) % all.length
    if (stale(all[turn]) && !wanted.includes(all[turn])) wanted.push(all[turn])
  }
  if (wanted.length === 0) return
  asking = true
  asked = performance.now()
  try {
    const now = await ask(wanted.map(body => body.rows[0].dataset.row))
    for (const [id, c] of Object.entries(now.rows)) {
      const tr = rowOf(id)
      // Where an event was faster, its state counts.
      if (tr && (now.tick === latest || tr.classList.contains(c.state))) change(tr, c)
    }
    for (const body of wanted) known.set(body, now.tick)
  } catch {
    // The next sample asks again.
  } finally {
    asking = false
  }
}

// Ages are to be right where they are seen; elsewhere within a minute.
let aged = 0
export function ages() {
  const list = bodies()
  for (let n = Math.ceil(list.length / 60); n > 0; n--) {
    aged = (aged + 1) % list.length
    agesIn(list[aged])
  }
  inSight()
}

// inSight brings what is in sight up to date.
export function inSight() {
  for (const body of nearby()) {
    if (waiting.size > 0) {
      for (const tr of body.rows) {
        const c = waiting.get(tr.dataset.row)
        if (c) change(tr, c)
        waiting.delete(tr.dataset.row)
      }
    }
    agesIn(body)
  }
}

// On paper everything is in sight.
addEventListener("beforeprint", () => {
  settle(Infinity)
  for (const body of bodies()) agesIn(body)
})
