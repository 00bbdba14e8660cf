// Keeps the page as it would be were it loaded now. Events change the texts of
// cells in place; where rows came or went or are no longer in order, and for search
// and order, the page is asked for again and its table put in place of the old one.
// A page that is not looked at listens to no events: a browser has six connections
// to a host, for all of its pages.
const { body } = document
const base = body.dataset.base
const root = new URL(base || "./", document.baseURI)
const live = document.getElementById("live")
let tick = body.dataset.tick
let seen = Date.now() // when the latest sample was
const opened = new Set() // keys of services whose real servers were asked for

// rows are those of the page by their names; null where it has changed since.
let rows = null
function rowOf(id) {
  rows ??= new Map(Array.from(document.querySelectorAll("tr[data-row]"), tr => [tr.dataset.row, tr]))
  return rows.get(id)
}

// Ages count by the agent's clock, which this one may differ from, and more so
// after somebody set it.
let ahead = 0
function clock(made, now = Date.now()) {
  if (Date.parse(made)) ahead = Date.parse(made) - now
}
clock(body.dataset.made)

// age writes how long ago a time was; the server writes the same.
function age(at) {
  const s = Math.max(Math.floor((Date.now() + ahead - at) / 1000), 0)
  const two = (n, unit, m, lesser) => m > 0 ? `${n} ${unit} ${m} ${lesser}` : `${n} ${unit}`
  if (s < 60) return `${s} s`
  if (s < 3600) return `${Math.floor(s / 60)} min`
  if (s < 86400) return two(Math.floor(s / 3600), "h", Math.floor(s % 3600 / 60), "min")
  return two(Math.floor(s / 86400), "d", s < 7 * 86400 ? Math.floor(s % 86400 / 3600) : 0, "h")
}

const stamp = at => new Date(at).toISOString().slice(0, 19)
const words = at => `${stamp(at).replace("T", " ")} UTC`

// put writes a cell into its element, as the server does: a picture, a time or a
// text, and what is said beside it.
function put(element, c) {
  const svg = element.firstElementChild?.localName === "svg" ? element.firstElementChild : null
  if (svg) {
    const outlines = (c.d ?? "").split(";")
    for (const [i, path] of [...svg.children].entries()) path.setAttribute("d", outlines[i] ?? "")
    if (svg.hasAttribute("role")) svg.setAttribute("aria-label", c.h ?? "")
  }
  const text = svg ? svg.nextSibling : element.firstChild
  if (!c.at && !c.s && text?.nodeType === Node.TEXT_NODE && text === element.lastChild) {
    if (text.data !== (c.t ?? "")) text.data = c.t ?? ""
  } else {
    const parts = svg ? [svg] : []
    if (c.at) {
      const time = document.createElement("time")
      time.dateTime = `${stamp(c.at * 1000)}Z`
      time.title = words(c.at * 1000)
      time.textContent = age(c.at * 1000)
      parts.push(time)
    } else if (c.t) parts.push(c.t)
    if (c.s) {
      const small = document.createElement("small")
      small.textContent = c.s
      parts.push(" ", small)
    }
    element.replaceChildren(...parts)
  }
  if (c.h) element.title = c.h
  else element.removeAttribute("title")
  for (const name of ["z", "bad"]) element.classList.toggle(name, c.c === name)
}

function change(id, c) {
  const tr = rowOf(id)
  if (!tr) return false
  if (c.state) tr.className = `${tr.classList[0]} ${c.state}`
  for (const [i, cell] of Object.entries(c.cells ?? {})) put(tr.cells[i], cell)
  return true
}

function show(e) {
  tick = e.tick
  seen = Date.now()
  clock(e.made)
  const summary = document.getElementById("summary")
  if (summary.textContent !== e.summary) summary.textContent = e.summary // else it would be read out again
  if (base === "") document.title = (e.down ? `${e.down} down · ` : "") + body.dataset.title
  for (const [id, cell] of Object.entries(e.figures ?? {})) {
    const element = document.querySelector(`[data-fig="${id}"]`)
    if (element) put(element, cell)
  }
  const filtered = new URLSearchParams(location.search).get("state")
  const folded = body.dataset.collapsed !== undefined && location.search === ""
  const moved = new Set(e.partial ? opened : []) // services whose real servers are to be asked for
  const sorted = document.querySelector("thead [aria-sort]")?.cellIndex
  let again = e.shape || document.getElementById("notice").childElementCount > 0
  let own = false
  let disorder = false
  for (const [id, c] of Object.entries(e.rows ?? {})) {
    const there = change(id, c)
    own ||= there
    disorder ||= c.cells?.[sorted] !== undefined
    if (c.state && folded && id.includes(",")) moved.add(id.slice(0, id.lastIndexOf(",")))
    else if (c.state && (filtered || !there)) again = true
  }
  dated(Date.parse(e.tick))
  // Of a large table only what its usual page shows is told.
  if (again || (base !== "" && own) || (e.partial && !folded) || moved.size > opened.size + 20) renew()
  else {
    moved.forEach(unfold)
    if (disorder) renew(5000) // rows that move are hard to read
  }
}

function dated(at) {
  const element = document.getElementById("tick")
  element.dateTime = `${stamp(at)}Z`
  element.textContent = words(at)
}

// renew is refresh for events, which may come every second: not as often, and the
// less so the longer it takes.
let due = 0
let dueAt = 0
let asked = -Infinity
let took = 0
function renew(least = 2000) {
  const at = Math.max(performance.now(), asked + Math.max(least, Math.min(10 * took, 60000)))
  if (due && at >= dueAt) return
  clearTimeout(due)
  dueAt = at
  due = setTimeout(refresh, at - performance.now())
}

// ask is a request that ends, also where a proxy or a sleep swallows the answer.
const ask = url => fetch(url, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(30000) })

// refresh asks for the page again; several wishes at once become one more.
let asking = false
let wanted = false
async function refresh() {
  if (asking) {
    wanted = true
    return
  }
  clearTimeout(due)
  due = 0
  asking = true
  asked = performance.now()
  try {
    const answer = await ask(location.href)
    const now = Date.now()
    const text = await answer.text()
    if (answer.ok) replace(new DOMParser().parseFromString(text, "text/html"), now)
    else notice(refused(answer, text))
    if (answer.status === 503) renew(5000)
  } catch {
    renew(10000) // that the agent is away, the stream tells
  } finally {
    took = performance.now() - asked
    asking = false
    if (wanted) {
      wanted = false
      refresh()
    }
  }
}

// refused is why there is no page, in words.
function refused(answer, text) {
  let why = ""
  if (answer.headers.get("Content-Type")?.includes("json")) why = JSON.parse(text).error
  else if (answer.headers.get("Content-Type")?.includes("html")) why = new DOMParser().parseFromString(text, "text/html").querySelector("#notice .error")?.textContent
  return `What is shown could not be renewed: ${why || `the answer is ${answer.status} ${answer.statusText}`}.`
}

function notice(text) {
  const place = document.getElementById("notice")
  if (place.textContent === text) return // else it would be read out again
  const p = document.createElement("p")
  p.className = "error"
  p.setAttribute("role", "alert")
  p.textContent = text
  place.replaceChildren(p)
}

// holdFocus remembers where within an element the keyboard is, and returns what
// puts it there again when the element has other children.
function holdFocus(within) {
  const focused = document.activeElement
  if (focused === within || !within.contains(focused)) return () => {}
  const column = focused.closest("thead th")?.cellIndex
  const id = focused.closest("tr[data-row]")?.dataset.row
  const href = focused.getAttribute("href")
  return () => {
    let next = null
    if (column !== undefined) next = document.getElementById("table").tHead.rows[1].cells[column]?.querySelector("a")
    else if (href !== null) next = [...within.querySelectorAll("a")].find(a => a.getAttribute("href") === href)
    else if (id) next = rowOf(id)?.querySelector("button") ?? rowOf(id)?.querySelector("a")
    else next = within.querySelector(".scroll")
    next?.focus({ preventScroll: true })
  }
}

// script names the version of this script that a page has.
const script = page => page.querySelector("script[type=module]")?.getAttribute("src")
const version = script(document)

// replace puts in what a page has that was answered at a time.
function replace(page, now) {
  const content = document.getElementById("content")
  const anew = page.getElementById("content")
  if (!content || !anew || script(page) !== version) { // another version of the agent
    location.reload()
    return
  }
  if (Date.parse(page.body.dataset.tick) < Date.parse(tick)) {
    renew() // an event was faster
    return
  }
  const focus = holdFocus(content)
  const unfolded = new Map([...opened].filter(rowOf).map(key => [key, [...rowOf(key).parentNode.rows].slice(1)]))
  const scrolled = content.querySelector(".scroll")?.scrollLeft ?? 0
  content.replaceChildren(...anew.childNodes)
  rows = null
  content.querySelector(".scroll")?.scrollTo(scrolled, 0)
  for (const id of ["notice", "figures"]) document.getElementById(id)?.replaceChildren(...page.getElementById(id).childNodes)
  document.getElementById("summary").textContent = page.getElementById("summary").textContent
  document.title = page.title
  clock(page.body.dataset.made, now)
  if (tick !== page.body.dataset.tick) seen = Date.now()
  tick = page.body.dataset.tick
  dated(Date.parse(tick))
  body.dataset.interval = page.body.dataset.interval
  if (page.body.dataset.collapsed === undefined) delete body.dataset.collapsed
  else body.dataset.collapsed = ""
  more()
  for (const [key, old] of unfolded) keep(key, old)
  opened.forEach(unfold)
  focus()
}

// keep shows the real servers that were asked for as they were until there are
// others, for the page is not to jump.
function keep(key, old) {
  const service = rowOf(key)
  if (!service || body.dataset.collapsed === undefined) return
  service.querySelector("button")?.remove()
  service.parentNode.replaceChildren(service, ...old)
  rows = null
}

// more makes buttons of the notes that real servers were left out.
function more() {
  for (const note of document.querySelectorAll("small[data-more]")) note.replaceWith(opener(note.closest("tr").dataset.row, note.textContent))
}

function opener(key, text) {
  const button = document.createElement("button")
  button.type = "button"
  button.textContent = text
  button.addEventListener("click", () => {
    opened.add(key)
    unfold(key)
  })
  return button
}

// unfold asks for the real servers of a service: all where it was opened, else
// those that are not up.
async function unfold(key) {
  const answer = await ask(new URL(`service/${key}?rows=1`, root)).catch(() => null)
  const text = answer?.ok ? await answer.text() : ""
  const service = rowOf(key)
  if (!answer?.ok || !service) return
  const reals = document.createElement("template")
  reals.innerHTML = text
  const focus = holdFocus(service.parentNode)
  service.querySelector("button")?.remove()
  if (!opened.has(key)) {
    const up = reals.content.querySelectorAll("tr.up")
    up.forEach(tr => tr.remove())
    if (up.length > 0) service.cells[0].append(opener(key, `${up.length} more`))
  }
  service.parentNode.replaceChildren(service, reals.content)
  rows = null
  focus()
}

// Search, filter and order without loading the page anew.
const form = document.getElementById("query")
if (form) {
  let timer
  let shown = location.search
  const go = (how, url) => {
    history[how](null, "", url)
    shown = location.search
    refresh()
  }
  const search = () => {
    const asked = new URLSearchParams(location.search)
    for (const name of ["q", "state"]) {
      if (form.elements[name].value) asked.set(name, form.elements[name].value)
      else asked.delete(name)
    }
    go("replaceState", `${asked}` ? `?${asked}` : location.pathname)
  }
  form.addEventListener("input", () => {
    clearTimeout(timer)
    timer = setTimeout(search, 200)
  })
  form.addEventListener("submit", event => {
    event.preventDefault()
    clearTimeout(timer)
    search()
  })
  document.getElementById("content").addEventListener("click", event => {
    const link = event.target.closest("thead a")
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    go("pushState", link.href)
  })
  addEventListener("popstate", () => {
    if (location.search !== shown) location.reload() // else it went to a place of this page
  })
  more()
}

let stream = null
function listen() {
  if (stream || document.hidden) return
  const mine = stream = new EventSource(new URL("api/v1/events", root))
  mine.addEventListener("hello", event => {
    const e = JSON.parse(event.data)
    clock(e.made)
    // What was sampled while nobody listened.
    if (e.tick === tick) return
    if (tick) refresh()
    else location.reload()
  })
  mine.addEventListener("change", event => {
    if (tick) show(JSON.parse(event.data))
    else location.reload()
  })
  mine.addEventListener("error", () => {
    if (mine.readyState !== EventSource.CLOSED || mine !== stream) return // it tries again by itself
    stream = null
    renew(10000) // as many as may be are listening: it is asked then
    setTimeout(listen, 10000)
  })
}

function leave() {
  stream?.close()
  stream = null
}
addEventListener("pagehide", leave)
addEventListener("pageshow", listen)
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return leave()
  seen = Date.now()
  listen()
})
// The title tells what is down, which is seen of other tabs as well.
if (base === "") setInterval(() => { if (document.hidden) refresh() }, 60000)

// Every second ages are a second more, and it may be that no sample comes.
let tried = -Infinity
function second() {
  for (const time of document.querySelectorAll("#content time, #figures time")) {
    const text = age(Date.parse(time.dateTime))
    if (time.firstChild.data !== text) time.firstChild.data = text
  }
  const seconds = Math.round((Date.now() - seen) / 1000)
  const late = !document.hidden && seconds > 3 * Number(body.dataset.interval ?? 10) + 2
  live.className = late ? "late" : ""
  const text = late ? `no new sample for ${age(Date.now() + ahead - seconds * 1000)}` : `live, ${age(Date.parse(document.getElementById("tick").dateTime))} old`
  if (live.textContent !== text) live.textContent = text
  if (late && performance.now() - tried > 30000) {
    tried = performance.now()
    refresh() // which tells what the agent knows of it
    leave() // the connection may be dead without anybody knowing
    listen()
  }
}

listen()
if (live) setInterval(second, 1000)
